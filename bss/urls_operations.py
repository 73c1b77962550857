"""Rooms of operations: desk, setup, jobs, catalogue, price lists, mail."""

from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt

from bss.views import (
    consent,
    exports,
    instance_states,
    instances,
    jobs,
    mail,
    operations,
    price_lists,
    prices,
    products,
)

_OPERATION = "operations/<uuid:public_id>/"
_INSTANCE = "setup/instances/<uuid:public_id>/"
_PRODUCT = "catalogue/products/<uuid:public_id>/"
_PRICE_LIST = "catalogue/price-lists/<uuid:public_id>/"

urlpatterns: list[URLPattern] = [
    path("operations/", operations.OperationList.as_view(), name="operation_list"),
    path(_OPERATION, operations.OperationDetail.as_view(), name="operation_detail"),
    path(f"{_OPERATION}retry/", operations.OperationRetry.as_view(), name="operation_retry"),
    path(f"{_OPERATION}check/", operations.OperationCheck.as_view(), name="operation_check"),
    path(f"{_OPERATION}done/", operations.OperationMarkDone.as_view(), name="operation_mark_done"),
    path(f"{_OPERATION}give-up/", operations.OperationGiveUp.as_view(), name="operation_give_up"),
    path("setup/instances/", instances.InstanceList.as_view(), name="instance_list"),
    path("setup/instances/new/", instances.InstanceNew.as_view(), name="instance_new"),
    path("setup/instances/new/<slug:code>/", instances.InstanceCreate.as_view(), name="instance_create"),
    path(_INSTANCE, instances.InstanceDetail.as_view(), name="instance_detail"),
    path(f"{_INSTANCE}edit/", instances.InstanceEdit.as_view(), name="instance_edit"),
    path(f"{_INSTANCE}test/", instances.InstanceTest.as_view(), name="instance_test"),
    path(f"{_INSTANCE}definition/", instances.InstanceDefinition.as_view(), name="instance_definition"),
    path(f"{_INSTANCE}activate/", instance_states.InstanceActivate.as_view(), name="instance_activate"),
    path(f"{_INSTANCE}deactivate/", instance_states.InstanceDeactivate.as_view(), name="instance_deactivate"),
    path(f"{_INSTANCE}delete/", instance_states.InstanceDelete.as_view(), name="instance_delete"),
    path(f"{_INSTANCE}consent/", consent.ConsentStart.as_view(), name="instance_consent"),
    # The vendor posts here from his own site and knows no token of ours; the signed state takes its place.
    path("consent/<uuid:public_id>/", csrf_exempt(consent.ConsentRelay.as_view()), name="consent_return"),
    path("catalogue/products/", products.ProductList.as_view(), name="product_list"),
    path(_PRODUCT, products.ProductDetail.as_view(), name="product_detail"),
    path(f"{_PRODUCT}edit/", products.ProductEdit.as_view(), name="product_edit"),
    path(f"{_PRODUCT}publish/", products.ProductPublish.as_view(), name="product_publish"),
    path(f"{_PRODUCT}unpublish/", products.ProductUnpublish.as_view(), name="product_unpublish"),
    path("catalogue/categories/", products.CategoryList.as_view(), name="category_list"),
    path("catalogue/categories/new/", products.CategoryEdit.as_view(), name="category_new"),
    path("catalogue/categories/<uuid:public_id>/", products.CategoryEdit.as_view(), name="category_edit"),
    path("catalogue/price-lists/", price_lists.PriceListList.as_view(), name="price_list_list"),
    path("catalogue/price-lists/new/", price_lists.PriceListEdit.as_view(), name="price_list_new"),
    path(_PRICE_LIST, prices.PriceListDetail.as_view(), name="price_list_detail"),
    path(f"{_PRICE_LIST}edit/", price_lists.PriceListEdit.as_view(), name="price_list_edit"),
    path(f"{_PRICE_LIST}copy/", price_lists.PriceListCopy.as_view(), name="price_list_copy"),
    path(f"{_PRICE_LIST}accounts/", prices.PriceListAccounts.as_view(), name="price_list_accounts"),
    path(f"{_PRICE_LIST}prices/<uuid:plan_id>/", prices.PriceSet.as_view(), name="price_set"),
    path(f"{_PRICE_LIST}prices/<uuid:plan_id>/remove/", prices.PriceRemove.as_view(), name="price_remove"),
    path("jobs/", jobs.JobList.as_view(), name="job_list"),
    path("jobs/<uuid:public_id>/", jobs.JobDetail.as_view(), name="job_detail"),
    path("jobs/exports/<uuid:public_id>/", exports.ExportDetail.as_view(), name="export_detail"),
    path("jobs/exports/<uuid:public_id>/file/", exports.ExportDownload.as_view(), name="export_file"),
    path("mail/", mail.MailList.as_view(), name="mail_list"),
    path("mail/<uuid:public_id>/", mail.MailDetail.as_view(), name="mail_detail"),
]
