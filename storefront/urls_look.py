"""Addresses of a storefront's look: what it is served from, and where its owner makes it."""

from django.urls import URLPattern, path

from storefront.views import look, my_domain, my_mail, my_shop

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
    path("my-shop/mail/", my_mail.MailSettings.as_view(), name="mail_settings"),
]
