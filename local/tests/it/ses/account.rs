//! The account's settings, its review, and the lists and templates that it has.

use aws_sdk_sesv2::operation::get_account::GetAccountOutput;
use aws_sdk_sesv2::types::{
    DashboardAttributes, EmailTemplateContent, FeatureStatus, MailType, ReviewStatus, ScalingMode,
    SubscriptionStatus, SuppressionListReason as Reason, Topic, VdmAttributes,
};
use sesinfra_local::ses::Decision;

use super::super::account::{ACCOUNT, REGION};
use super::{Bench, refusal, refused};

async fn get(bench: &Bench) -> GetAccountOutput {
    bench.ses.get_account().send().await.unwrap()
}

#[tokio::test]
async fn a_new_account_is_in_the_sandbox() {
    let bench = Bench::start().await;
    let found = get(&bench).await;
    assert!(!found.production_access_enabled());
    assert!(found.sending_enabled());
    assert_eq!(found.enforcement_status(), Some("HEALTHY"));
    let quota = found.send_quota().unwrap();
    assert_eq!((quota.max24_hour_send(), quota.max_send_rate()), (200.0, 1.0));
    let suppressed = found.suppression_attributes().unwrap().suppressed_reasons();
    assert_eq!(suppressed, [Reason::Bounce, Reason::Complaint]);
    assert!(found.details().is_none());
    assert!(found.vdm_attributes().is_none());
}

#[tokio::test]
async fn what_a_put_leaves_out_is_off() {
    let bench = Bench::start().await;
    bench.ses.put_account_suppression_attributes().send().await.unwrap();
    bench.ses.put_account_sending_attributes().send().await.unwrap();
    bench.ses.put_account_dedicated_ip_warmup_attributes().send().await.unwrap();
    let found = get(&bench).await;
    assert!(found.suppression_attributes().unwrap().suppressed_reasons().is_empty());
    assert!(!found.sending_enabled());
    assert!(!found.dedicated_ip_auto_warmup_enabled());
}

#[tokio::test]
async fn a_pause_by_aws_is_not_lifted_by_a_put() {
    let bench = Bench::start().await;
    bench.behind().enforce(ACCOUNT, REGION, true);
    let put = bench.ses.put_account_sending_attributes().sending_enabled(true);
    put.send().await.unwrap();
    let found = get(&bench).await;
    assert_eq!(found.enforcement_status(), Some("SHUTDOWN"));
    assert!(!found.sending_enabled());
}

#[tokio::test]
async fn the_manager_shows_its_parts_only_while_it_is_on() {
    let bench = Bench::start().await;
    let put = |enabled: FeatureStatus| {
        let dashboard = DashboardAttributes::builder().engagement_metrics(FeatureStatus::Enabled);
        let attributes = VdmAttributes::builder().vdm_enabled(enabled);
        let attributes = attributes.dashboard_attributes(dashboard.build()).build().unwrap();
        bench.ses.put_account_vdm_attributes().vdm_attributes(attributes).send()
    };
    put(FeatureStatus::Enabled).await.unwrap();
    assert!(get(&bench).await.vdm_attributes.unwrap().dashboard_attributes().is_some());
    put(FeatureStatus::Disabled).await.unwrap();
    let shown = get(&bench).await.vdm_attributes.unwrap();
    assert_eq!(shown.vdm_enabled(), &FeatureStatus::Disabled);
    assert!(shown.dashboard_attributes().is_none());
}

#[tokio::test]
async fn a_review_runs_once_and_a_denial_closes_the_api() {
    let bench = Bench::start().await;
    let put = || {
        let put = bench.ses.put_account_details().mail_type(MailType::Transactional);
        put.website_url("https://pivot.app")
    };
    let submit = || put().production_access_enabled(true).send();
    let status = async || {
        let details = get(&bench).await.details?;
        details.review_details?.status
    };
    let bare = bench.ses.put_account_details().mail_type(MailType::Transactional);
    refused(bare.website_url("pivot").send().await, "BadRequestException");
    // Without the flag details are kept and nobody looks at them.
    put().send().await.unwrap();
    assert!(get(&bench).await.details().is_some());
    assert_eq!(status().await, None);
    submit().await.unwrap();
    assert_eq!(status().await, Some(ReviewStatus::Pending));
    refused(submit().await, "ConflictException");
    bench.behind().decide(ACCOUNT, REGION, Decision::Failed);
    assert_eq!(status().await, Some(ReviewStatus::Failed));
    submit().await.unwrap();
    bench.behind().decide(ACCOUNT, REGION, Decision::Denied);
    let (code, message) = refusal(submit().await);
    assert_eq!((code.as_str(), message.as_str()), ("ConflictException", "None"));
    assert_eq!(status().await, Some(ReviewStatus::Denied));
    assert!(!get(&bench).await.production_access_enabled());
}

#[tokio::test]
async fn a_grant_is_for_one_region() {
    let bench = Bench::start().await;
    bench.grant().await;
    let found = get(&bench).await;
    assert!(found.production_access_enabled());
    assert!(found.send_quota().unwrap().max24_hour_send() > 200.0);
    let west = bench.ses_in("us-west-2").get_account().send().await.unwrap();
    assert!(!west.production_access_enabled());
}

#[tokio::test]
async fn the_suppression_list_is_closed_in_the_sandbox_and_folds_domains() {
    let bench = Bench::start().await;
    let put = |address: &str| {
        bench.ses.put_suppressed_destination().email_address(address).reason(Reason::Bounce).send()
    };
    refused(put("a@pivot.app").await, "BadRequestException");
    bench.grant().await;
    put(" Foo@Pivot.APP ").await.unwrap();
    refused(put("foo").await, "BadRequestException");
    let list = bench.ses.list_suppressed_destinations().send().await.unwrap();
    let summaries = list.suppressed_destination_summaries();
    assert_eq!(summaries[0].email_address(), "Foo@pivot.app");
    let get = bench.ses.get_suppressed_destination().email_address("Foo@PIVOT.app");
    get.send().await.unwrap();
    let get = bench.ses.get_suppressed_destination().email_address("foo@pivot.app");
    let (code, message) = refusal(get.send().await);
    assert_eq!(code, "NotFoundException");
    assert_eq!(message, "Email address foo@pivot.app does not exist on your suppression list.");
    let delete = || bench.ses.delete_suppressed_destination().email_address("Foo@pivot.app").send();
    delete().await.unwrap();
    refused(delete().await, "NotFoundException");
}

#[tokio::test]
async fn there_is_no_way_back_from_a_managed_pool() {
    let bench = Bench::start().await;
    let create = || bench.ses.create_dedicated_ip_pool().pool_name("pool");
    create().send().await.unwrap();
    refused(create().send().await, "AlreadyExistsException");
    let put = |mode: ScalingMode| {
        let put = bench.ses.put_dedicated_ip_pool_scaling_attributes().pool_name("pool");
        put.scaling_mode(mode).send()
    };
    put(ScalingMode::Managed).await.unwrap();
    refused(put(ScalingMode::Standard).await, "BadRequestException");
    let found = bench.ses.get_dedicated_ip_pool().pool_name("pool").send().await.unwrap();
    assert_eq!(found.dedicated_ip_pool.unwrap().scaling_mode(), &ScalingMode::Managed);
    refused(bench.ses.get_dedicated_ip_pool().pool_name("no").send().await, "NotFoundException");
}

#[tokio::test]
async fn there_is_one_contact_list() {
    let bench = Bench::start().await;
    let create = |name: &str| bench.ses.create_contact_list().contact_list_name(name);
    let topic = Topic::builder()
        .topic_name("news")
        .display_name("News")
        .default_subscription_status(SubscriptionStatus::OptOut)
        .build()
        .unwrap();
    let twice = create("list").topics(topic.clone()).topics(topic.clone());
    refused(twice.send().await, "BadRequestException");
    create("list").topics(topic).send().await.unwrap();
    for name in ["list", "other"] {
        let (code, message) = refusal(create(name).send().await);
        assert_eq!(code, "BadRequestException");
        assert_eq!(message, "A maximum of 1 Lists allowed per account.");
    }
    let contact = || bench.ses.create_contact().contact_list_name("list").email_address("a@b.app");
    contact().send().await.unwrap();
    refused(contact().send().await, "AlreadyExistsException");
    let get = bench.ses.get_contact_list().contact_list_name("no");
    let (code, message) = refusal(get.send().await);
    assert_eq!(code, "NotFoundException");
    assert_eq!(message, "List with name: no doesn't exist.");
    bench.ses.delete_contact_list().contact_list_name("list").send().await.unwrap();
    create("other").send().await.unwrap();
}

#[tokio::test]
async fn templates_are_rendered_with_all_their_data_or_not_at_all() {
    let bench = Bench::start().await;
    let content =
        |html: &str| EmailTemplateContent::builder().subject("Hi {{name}}").html(html).build();
    let create = |html: &str| {
        let create = bench.ses.create_email_template().template_name("hello");
        create.template_content(content(html)).send()
    };
    refused(create("{{ses:openTracker}}{{ses:openTracker}}").await, "BadRequestException");
    create("<p>{{order.id}}</p>").await.unwrap();
    refused(create("").await, "AlreadyExistsException");
    let render = |data: &str| {
        let render = bench.ses.test_render_email_template().template_name("hello");
        render.template_data(data).send()
    };
    let (code, message) = refusal(render(r#"{"name": "Ann"}"#).await);
    assert_eq!(code, "BadRequestException");
    assert_eq!(message, "Attribute 'order.id' is not present in the rendering data.");
    let rendered = render(r#"{"name": "Ann", "order": {"id": 7}}"#).await.unwrap();
    assert!(rendered.rendered_template().contains("<p>7</p>"));
    let get = bench.ses.get_email_template().template_name("no").send().await;
    refused(get, "NotFoundException");
}

#[tokio::test]
async fn a_raised_quota_shows_once_the_account_is_out_of_the_sandbox() {
    let bench = Bench::start().await;
    let raise = |code: &str, value: f64| {
        let mut accounts = bench.cloud.world().quotas.write();
        let raised = &mut accounts.get_or_create(ACCOUNT).applied;
        raised
            .insert(fakecloud_servicequotas::state::applied_key(REGION, false, "ses", code), value);
    };
    raise("L-804C8AE8", 70_000.0);
    raise("L-CDEF9B6B", 28.0);
    let shown = async || {
        let quota = get(&bench).await.send_quota.unwrap();
        (quota.max24_hour_send(), quota.max_send_rate())
    };
    assert_eq!(shown().await, (200.0, 1.0));
    bench.grant().await;
    assert_eq!(shown().await, (70_000.0, 28.0));
    // What SES gave already is not taken back.
    raise("L-804C8AE8", 60.0);
    assert_eq!(shown().await, (50_000.0, 28.0));
}
