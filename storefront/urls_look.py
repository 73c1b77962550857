"""Addresses of a storefront's look: what it is served from, and where its owner makes it."""

from django.urls import URLPattern, path

from storefront.views import look, my_domain, my_mail, my_mail_texts, my_shop

urlpatterns: list[URLPattern] = [
    path("image/icon.svg", look.site_icon, name="site_icon"),
    path("image/product/<str:name>", look.product_picture, name="product_picture"),
    path("image/<str:name>", look.site_image, name="site_image"),
    path("shop/preview/<str:token>/", look.preview, name="preview"),
    path("shop/consent/", look.set_consent, name="set_consent"),
    path("shop/language/", look.set_language, name="set_language"),
    path("my-shop/design/", my_shop.Design.as_view(), name="design"),
    path("my-shop/design/<uuid:public_id>/restore/", my_shop.DesignRestore.as_view(), name="design_restore"),
    path("my-shop/domain/", my_domain.Domain.as_view(), name="domain"),
    path("my-shop/domain/state/", my_domain.DomainCheck.as_view(), name="domain_check"),
    path("my-shop/domain/remove/", my_domain.DomainRemove.as_view(), name="domain_remove"),
    path("my-shop/domain/certificate/", my_domain.CertificateUpload.as_view(), name="domain_certificate"),
    path("my-shop/domain/certificate/back/", my_domain.CertificateWithdraw.as_view(), name="domain_certificate_back"),
    path("my-shop/mail/", my_mail.MailSettings.as_view(), name="mail_settings"),
    path("my-shop/mail/google/", my_mail.GoogleConsent.as_view(), name="mail_google"),
    path("my-shop/mail/google/done/", my_mail.GoogleDone.as_view(), name="mail_google_done"),
    path("my-shop/mail/texts/", my_mail_texts.MailTexts.as_view(), name="mail_texts"),
    path("my-shop/mail/texts/<slug:name>/<slug:language>/", my_mail_texts.MailTextEdit.as_view(), name="mail_text"),
]
