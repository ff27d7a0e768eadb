//! Which operation a request asks for, by its method and path, and who answers it.

use std::sync::LazyLock;

use http::Method;

use super::call::Call;
use super::errors::Reply;
use super::{
    account, contacts, destinations, dkim, identities, mail_from, options, policies, pools,
    sending, sets, suppression, tags, templates, tenants,
};

/// Answers one operation.
pub(super) type Handler = fn(&mut Call<'_>) -> Reply;

/// An operation and the labels of its path, in order.
#[derive(Clone, Debug)]
pub(super) struct Route {
    /// The operation's name, as in `ses:GetEmailIdentity`.
    pub(super) operation: &'static str,
    pub(super) handler: Handler,
    /// What stands where the pattern has `*`.
    pub(super) labels: Vec<String>,
}

/// Method, path below `/v2/email` with `*` for a label, operation, handler.
#[rustfmt::skip]
const ROUTES: &[(&str, &str, &str, Handler)] = &[
    ("GET", "account", "GetAccount", account::get),
    ("PUT", "account/dedicated-ips/warmup", "PutAccountDedicatedIpWarmupAttributes", account::put_warmup),
    ("POST", "account/details", "PutAccountDetails", account::put_details),
    ("PUT", "account/pricing-attributes", "PutAccountPricingAttributes", account::put_pricing),
    ("PUT", "account/sending", "PutAccountSendingAttributes", account::put_sending),
    ("PUT", "account/suppression", "PutAccountSuppressionAttributes", account::put_suppression),
    ("PUT", "account/vdm", "PutAccountVdmAttributes", account::put_vdm),
    ("POST", "configuration-sets", "CreateConfigurationSet", sets::create),
    ("DELETE", "configuration-sets/*", "DeleteConfigurationSet", sets::delete),
    ("GET", "configuration-sets/*", "GetConfigurationSet", sets::get),
    ("PUT", "configuration-sets/*/archiving-options", "PutConfigurationSetArchivingOptions", options::put_archiving),
    ("PUT", "configuration-sets/*/delivery-options", "PutConfigurationSetDeliveryOptions", options::put_delivery),
    ("GET", "configuration-sets/*/event-destinations", "GetConfigurationSetEventDestinations", destinations::get),
    ("POST", "configuration-sets/*/event-destinations", "CreateConfigurationSetEventDestination", destinations::create),
    ("DELETE", "configuration-sets/*/event-destinations/*", "DeleteConfigurationSetEventDestination", destinations::delete),
    ("PUT", "configuration-sets/*/event-destinations/*", "UpdateConfigurationSetEventDestination", destinations::update),
    ("PUT", "configuration-sets/*/reputation-options", "PutConfigurationSetReputationOptions", options::put_reputation),
    ("PUT", "configuration-sets/*/sending", "PutConfigurationSetSendingOptions", options::put_sending),
    ("PUT", "configuration-sets/*/suppression-options", "PutConfigurationSetSuppressionOptions", options::put_suppression),
    ("PUT", "configuration-sets/*/tracking-options", "PutConfigurationSetTrackingOptions", options::put_tracking),
    ("PUT", "configuration-sets/*/vdm-options", "PutConfigurationSetVdmOptions", options::put_vdm),
    ("GET", "contact-lists", "ListContactLists", contacts::list_all),
    ("POST", "contact-lists", "CreateContactList", contacts::create),
    ("DELETE", "contact-lists/*", "DeleteContactList", contacts::delete),
    ("GET", "contact-lists/*", "GetContactList", contacts::get),
    ("PUT", "contact-lists/*", "UpdateContactList", contacts::update),
    ("POST", "contact-lists/*/contacts", "CreateContact", contacts::create_contact),
    ("DELETE", "contact-lists/*/contacts/*", "DeleteContact", contacts::delete_contact),
    ("GET", "contact-lists/*/contacts/*", "GetContact", contacts::get_contact),
    ("PUT", "contact-lists/*/contacts/*", "UpdateContact", contacts::update_contact),
    ("POST", "contact-lists/*/contacts/list", "ListContacts", contacts::list_contacts),
    ("GET", "custom-verification-email-templates", "ListCustomVerificationEmailTemplates", templates::list_verification),
    ("POST", "custom-verification-email-templates", "CreateCustomVerificationEmailTemplate", templates::create_verification),
    ("DELETE", "custom-verification-email-templates/*", "DeleteCustomVerificationEmailTemplate", templates::delete_verification),
    ("GET", "custom-verification-email-templates/*", "GetCustomVerificationEmailTemplate", templates::get_verification),
    ("PUT", "custom-verification-email-templates/*", "UpdateCustomVerificationEmailTemplate", templates::update_verification),
    ("GET", "dedicated-ip-pools", "ListDedicatedIpPools", pools::list),
    ("POST", "dedicated-ip-pools", "CreateDedicatedIpPool", pools::create),
    ("DELETE", "dedicated-ip-pools/*", "DeleteDedicatedIpPool", pools::delete),
    ("GET", "dedicated-ip-pools/*", "GetDedicatedIpPool", pools::get),
    ("PUT", "dedicated-ip-pools/*/scaling", "PutDedicatedIpPoolScalingAttributes", pools::put_scaling),
    ("GET", "dedicated-ips", "GetDedicatedIps", pools::list_addresses),
    ("GET", "dedicated-ips/*", "GetDedicatedIp", pools::get_address),
    ("POST", "identities", "CreateEmailIdentity", identities::create),
    ("DELETE", "identities/*", "DeleteEmailIdentity", identities::delete),
    ("GET", "identities/*", "GetEmailIdentity", identities::get),
    ("PUT", "identities/*/configuration-set", "PutEmailIdentityConfigurationSetAttributes", identities::put_default_set),
    ("PUT", "identities/*/dkim", "PutEmailIdentityDkimAttributes", dkim::put_attributes),
    ("PUT", "identities/*/dkim/signing", "PutEmailIdentityDkimSigningAttributes", dkim::put_signing),
    ("PUT", "identities/*/feedback", "PutEmailIdentityFeedbackAttributes", identities::put_feedback),
    ("PUT", "identities/*/mail-from", "PutEmailIdentityMailFromAttributes", mail_from::put),
    ("GET", "identities/*/policies", "GetEmailIdentityPolicies", policies::get),
    ("DELETE", "identities/*/policies/*", "DeleteEmailIdentityPolicy", policies::delete),
    ("POST", "identities/*/policies/*", "CreateEmailIdentityPolicy", policies::create),
    ("PUT", "identities/*/policies/*", "UpdateEmailIdentityPolicy", policies::update),
    ("POST", "list-configuration-sets", "ListConfigurationSets", sets::list),
    // As clients before the filters existed ask.
    ("GET", "configuration-sets", "ListConfigurationSets", sets::list),
    ("GET", "identities", "ListEmailIdentities", identities::list),
    ("POST", "list-identities", "ListEmailIdentities", identities::list),
    ("POST", "outbound-bulk-emails", "SendBulkEmail", sending::send_bulk),
    ("POST", "outbound-custom-verification-emails", "SendCustomVerificationEmail", sending::send_verification),
    ("POST", "outbound-emails", "SendEmail", sending::send),
    ("POST", "resources/tenants/list", "ListResourceTenants", tenants::list_holders),
    ("GET", "suppression/addresses", "ListSuppressedDestinations", suppression::list),
    ("PUT", "suppression/addresses", "PutSuppressedDestination", suppression::put_one),
    ("DELETE", "suppression/addresses/*", "DeleteSuppressedDestination", suppression::delete),
    ("GET", "suppression/addresses/*", "GetSuppressedDestination", suppression::get),
    ("DELETE", "tags", "UntagResource", tags::untag),
    ("GET", "tags", "ListTagsForResource", tags::list),
    ("POST", "tags", "TagResource", tags::tag),
    ("GET", "templates", "ListEmailTemplates", templates::list),
    ("POST", "templates", "CreateEmailTemplate", templates::create),
    ("DELETE", "templates/*", "DeleteEmailTemplate", templates::delete),
    ("GET", "templates/*", "GetEmailTemplate", templates::get),
    ("PUT", "templates/*", "UpdateEmailTemplate", templates::update),
    ("POST", "templates/*/render", "TestRenderEmailTemplate", templates::test_render),
    ("POST", "tenant/suppression", "PutTenantSuppressionAttributes", tenants::put_suppression),
    ("POST", "tenants", "CreateTenant", tenants::create),
    ("POST", "tenants/delete", "DeleteTenant", tenants::delete),
    ("POST", "tenants/get", "GetTenant", tenants::get),
    ("POST", "tenants/list", "ListTenants", tenants::list),
    ("POST", "tenants/resources", "CreateTenantResourceAssociation", tenants::associate),
    ("POST", "tenants/resources/delete", "DeleteTenantResourceAssociation", tenants::dissociate),
    ("POST", "tenants/resources/list", "ListTenantResources", tenants::list_resources),
    ("POST", "update-configuration-sets", "UpdateConfigurationSet", options::update),
];

/// Every operation that this cloud answers.
pub(super) fn operations() -> &'static [&'static str] {
    static OPERATIONS: LazyLock<Vec<&str>> =
        LazyLock::new(|| ROUTES.iter().map(|(_, _, operation, _)| *operation).collect());
    &OPERATIONS
}

/// The route of a request; `segments` are percent-decoded, without empty ones.
pub(super) fn route(method: &Method, segments: &[String]) -> Option<Route> {
    let path = match segments {
        [version, email, path @ ..] if version == "v2" && email == "email" => path,
        _ => return None,
    };
    let mut of_method = ROUTES.iter().filter(|(verb, ..)| method.as_str() == *verb);
    of_method.find_map(|(_, pattern, operation, handler)| {
        let labels = labels(pattern, path)?;
        Some(Route { operation, handler: *handler, labels })
    })
}

fn labels(pattern: &str, path: &[String]) -> Option<Vec<String>> {
    let parts: Vec<&str> = pattern.split('/').collect();
    if parts.len() != path.len() {
        return None;
    }
    let mut labels = Vec::new();
    for (part, segment) in parts.iter().zip(path) {
        match *part {
            "*" => labels.push(segment.clone()),
            literal if literal == segment => {}
            _ => return None,
        }
    }
    Some(labels)
}
