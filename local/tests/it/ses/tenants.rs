//! Tenants hold on to identities and sets.

use aws_sdk_sesv2::types::{
    SuppressionListReason, SuppressionListScope, TenantSuppressionAttributes,
};

use super::super::account::{ACCOUNT, REGION};
use super::{Bench, refused};

fn arn(resource: &str) -> String {
    format!("arn:aws:ses:{REGION}:{ACCOUNT}:{resource}")
}

impl Bench {
    async fn tenant(&self) {
        self.set("main").await;
        self.ses.create_email_identity().email_identity("pivot.app").send().await.unwrap();
        self.ses.create_tenant().tenant_name("one").send().await.unwrap();
    }
}

#[tokio::test]
async fn what_a_tenant_has_cannot_be_deleted() {
    let bench = Bench::start().await;
    bench.tenant().await;
    let (identity, set) = (arn("identity/pivot.app"), arn("configuration-set/main"));
    for arn in [&identity, &set] {
        let give = || {
            let give = bench.ses.create_tenant_resource_association().tenant_name("one");
            give.resource_arn(arn).send()
        };
        give().await.unwrap();
        refused(give().await, "AlreadyExistsException");
    }
    let holders = bench.ses.list_resource_tenants().resource_arn(&identity).send().await.unwrap();
    assert_eq!(holders.resource_tenants()[0].tenant_name(), Some("one"));
    let given = bench.ses.list_tenant_resources().tenant_name("one").send().await.unwrap();
    assert_eq!(given.tenant_resources().len(), 2);
    let delete_identity = || bench.ses.delete_email_identity().email_identity("pivot.app").send();
    let delete_set = || bench.ses.delete_configuration_set().configuration_set_name("main").send();
    refused(delete_identity().await, "BadRequestException");
    refused(delete_set().await, "BadRequestException");
    let take = bench.ses.delete_tenant_resource_association().tenant_name("one");
    take.resource_arn(&set).send().await.unwrap();
    delete_set().await.unwrap();
    bench.ses.delete_tenant().tenant_name("one").send().await.unwrap();
    delete_identity().await.unwrap();
}

#[tokio::test]
async fn only_what_is_there_can_be_given() {
    let bench = Bench::start().await;
    bench.tenant().await;
    let give = |tenant: &str, arn: String| {
        let give = bench.ses.create_tenant_resource_association().tenant_name(tenant);
        give.resource_arn(arn).send()
    };
    refused(give("one", arn("identity/no.app")).await, "NotFoundException");
    refused(give("two", arn("identity/pivot.app")).await, "NotFoundException");
    refused(give("one", arn("contact-list/x")).await, "BadRequestException");
    let holders = bench.ses.list_resource_tenants().resource_arn(arn("identity/no.app"));
    refused(holders.send().await, "NotFoundException");
}

#[tokio::test]
async fn tenants_have_ids_and_paired_suppression_settings() {
    let bench = Bench::start().await;
    bench.tenant().await;
    let create = bench.ses.create_tenant().tenant_name("one");
    refused(create.send().await, "AlreadyExistsException");
    let get = || bench.ses.get_tenant().tenant_name("one").send();
    let tenant = get().await.unwrap().tenant.unwrap();
    let id = tenant.tenant_id().unwrap();
    assert!(id.strip_prefix("tn-").is_some_and(|hex| hex.len() == 30), "{id}");
    assert_eq!(tenant.tenant_arn(), Some(arn(&format!("tenant/one/{id}")).as_str()));
    let half = TenantSuppressionAttributes::builder();
    let half = half.suppression_scope(SuppressionListScope::Tenant).build();
    let create = bench.ses.create_tenant().tenant_name("two").suppression_attributes(half);
    refused(create.send().await, "BadRequestException");
    let put = || bench.ses.put_tenant_suppression_attributes().tenant_name("one");
    let half = put().suppressed_reasons(SuppressionListReason::Bounce);
    refused(half.send().await, "BadRequestException");
    let whole = put().suppressed_reasons(SuppressionListReason::Bounce);
    whole.suppression_scope(SuppressionListScope::Tenant).send().await.unwrap();
    let tenant = get().await.unwrap().tenant.unwrap();
    assert!(tenant.suppression_attributes().is_some());
    put().send().await.unwrap();
    let tenant = get().await.unwrap().tenant.unwrap();
    assert!(tenant.suppression_attributes().is_none());
    refused(bench.ses.get_tenant().tenant_name("no").send().await, "NotFoundException");
}
