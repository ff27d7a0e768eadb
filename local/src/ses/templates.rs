//! E-mail templates, and the templates of verification mails.

use fakecloud_core::service::AwsServiceError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Call, Page, put, seconds};
use super::errors::{Reply, already_exists, bad_request, limit_exceeded, not_found};
use super::input::{Input, simple_name};
use super::rendering::{RenderingError, render};
use super::state::Tags;
use super::{sending, tags};

const MOST: usize = 20_000;
const LONGEST: usize = 500 * 1024;
const MOST_VERIFICATION: usize = 50;

/// A template of messages.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Template {
    pub(super) content: Content,
    created: i64,
    pub(super) tags: Tags,
}

/// Subject and bodies, with places for data.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Content {
    pub(super) subject: Option<String>,
    pub(super) text: Option<String>,
    pub(super) html: Option<String>,
}

impl Content {
    /// The content of a request.
    pub(super) fn read(input: &Input<'_>) -> Result<Self, AwsServiceError> {
        let part = |name| input.text(name).map(|text| text.map(str::to_owned));
        let content = Self { subject: part("Subject")?, text: part("Text")?, html: part("Html")? };
        let parts = [&content.subject, &content.text, &content.html];
        let length: usize = parts.iter().filter_map(|part| part.as_ref().map(String::len)).sum();
        if length > LONGEST {
            return Err(bad_request("The template is larger than 500 KB."));
        }
        let html = content.html.as_deref().unwrap_or_default();
        if html.matches("{{ses:openTracker}}").count() > 1 {
            return Err(bad_request("The template contains more than one ses:openTracker."));
        }
        Ok(content)
    }

    fn shown(&self) -> Value {
        let mut shown = json!({});
        put(&mut shown, "Subject", self.subject.clone());
        put(&mut shown, "Text", self.text.clone());
        put(&mut shown, "Html", self.html.clone());
        shown
    }

    /// The content with data in its places.
    pub(super) fn rendered(&self, data: &Value) -> Result<Self, RenderingError> {
        let part = |part: &Option<String>| part.as_ref().map(|text| render(text, data)).transpose();
        Ok(Self { subject: part(&self.subject)?, text: part(&self.text)?, html: part(&self.html)? })
    }
}

/// What is answered for a template that is not there.
pub(super) fn missing(name: &str) -> AwsServiceError {
    not_found(format!("Template {name} does not exist."))
}

/// `CreateEmailTemplate`.
pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let name = input.required_text("TemplateName")?;
    let content = Content::read(&input.required_object("TemplateContent")?)?;
    let tags = tags::given(&input)?;
    simple_name("template name", name)?;
    let created = call.now;
    let templates = &mut call.here().templates;
    if templates.contains_key(name) {
        return Err(already_exists(format!("Template {name} already exists.")));
    }
    if templates.len() >= MOST {
        return Err(limit_exceeded("The maximum number of templates is reached."));
    }
    templates.insert(name.to_owned(), Template { content, created, tags });
    Ok(json!({}))
}

/// `GetEmailTemplate`.
pub(super) fn get(call: &mut Call<'_>) -> Reply {
    let name = call.label(0);
    let template = call.here().templates.get(name).ok_or_else(|| missing(name))?;
    Ok(json!({
        "TemplateName": name,
        "TemplateContent": template.content.shown(),
        "Tags": tags::shown(&template.tags),
    }))
}

/// `UpdateEmailTemplate`: replaces the content, leaves the tags.
pub(super) fn update(call: &mut Call<'_>) -> Reply {
    let content = Content::read(&call.input()?.required_object("TemplateContent")?)?;
    let name = call.label(0);
    call.here().templates.get_mut(name).ok_or_else(|| missing(name))?.content = content;
    Ok(json!({}))
}

/// `DeleteEmailTemplate`.
pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let name = call.label(0);
    call.here().templates.remove(name).ok_or_else(|| missing(name))?;
    Ok(json!({}))
}

/// `ListEmailTemplates`: without content.
pub(super) fn list(call: &mut Call<'_>) -> Reply {
    let page = Page::of_query(call, 100)?;
    let items = call.here().templates.iter().map(|(name, template)| {
        let shown = json!({ "TemplateName": name, "CreatedTimestamp": seconds(template.created) });
        (name.clone(), shown)
    });
    let (items, next) = page.cut(items.collect());
    let mut reply = json!({ "TemplatesMetadata": items });
    put(&mut reply, "NextToken", next);
    Ok(reply)
}

/// `TestRenderEmailTemplate`.
pub(super) fn test_render(call: &mut Call<'_>) -> Reply {
    let data = data(call.input()?.required_text("TemplateData")?)?;
    let name = call.label(0);
    let template = call.here().templates.get(name).ok_or_else(|| missing(name))?;
    let content =
        template.content.rendered(&data).map_err(|problem| bad_request(problem.to_string()))?;
    let mut message = format!("Subject: {}\r\n", content.subject.unwrap_or_default());
    for body in [content.text, content.html].into_iter().flatten() {
        message.push_str("\r\n");
        message.push_str(&body);
    }
    Ok(json!({ "RenderedTemplate": message }))
}

/// Template data, which is a JSON object in a text.
pub(super) fn data(text: &str) -> Result<Value, AwsServiceError> {
    let parsed: Option<Value> = serde_json::from_str(text).ok();
    parsed
        .filter(Value::is_object)
        .ok_or_else(|| bad_request("The template data is not a JSON object."))
}

/// A template of the mail that asks an address's owner to confirm.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct VerificationTemplate {
    from: String,
    subject: String,
    content: String,
    success: String,
    failure: String,
    pub(super) tags: Tags,
}

impl VerificationTemplate {
    fn read(call: &mut Call<'_>, input: &Input<'_>, tags: Tags) -> Result<Self, AwsServiceError> {
        let template = Self {
            from: input.required_text("FromEmailAddress")?.to_owned(),
            subject: input.required_text("TemplateSubject")?.to_owned(),
            content: input.required_text("TemplateContent")?.to_owned(),
            success: input.required_text("SuccessRedirectionURL")?.to_owned(),
            failure: input.required_text("FailureRedirectionURL")?.to_owned(),
            tags,
        };
        let is_web = |url: &str| url.starts_with("http://") || url.starts_with("https://");
        if !is_web(&template.success) || !is_web(&template.failure) {
            return Err(bad_request("A redirection URL is not valid."));
        }
        if template.content.len() > 10 * 1024 * 1024 {
            return Err(bad_request("The template content is larger than 10 MB."));
        }
        if sending::covering(call, &template.from).is_none() {
            return Err(not_found(format!("From address <{}> is not verified.", template.from)));
        }
        Ok(template)
    }

    fn shown(&self, name: &str) -> Value {
        json!({
            "TemplateName": name,
            "FromEmailAddress": self.from,
            "TemplateSubject": self.subject,
            "SuccessRedirectionURL": self.success,
            "FailureRedirectionURL": self.failure,
        })
    }
}

/// `CreateCustomVerificationEmailTemplate`.
pub(super) fn create_verification(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let name = input.required_text("TemplateName")?;
    let tags = tags::given(&input)?;
    simple_name("template name", name)?;
    let template = VerificationTemplate::read(call, &input, tags)?;
    let templates = &mut call.here().verification_templates;
    if templates.contains_key(name) {
        return Err(already_exists(format!(
            "Custom verification email template {name} already exists."
        )));
    }
    if templates.len() >= MOST_VERIFICATION {
        return Err(limit_exceeded(
            "The maximum number of custom verification email templates is reached.",
        ));
    }
    templates.insert(name.to_owned(), template);
    Ok(json!({}))
}

/// `GetCustomVerificationEmailTemplate`.
pub(super) fn get_verification(call: &mut Call<'_>) -> Reply {
    let name = call.label(0);
    let template = call.here().verification_templates.get(name).ok_or_else(|| missing(name))?;
    let mut shown = template.shown(name);
    put(&mut shown, "TemplateContent", Some(template.content.clone()));
    put(&mut shown, "Tags", Some(tags::shown(&template.tags)));
    Ok(shown)
}

/// `UpdateCustomVerificationEmailTemplate`.
pub(super) fn update_verification(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let name = call.label(0);
    let tags = call.here().verification_templates.get(name).map(|template| template.tags.clone());
    let template = VerificationTemplate::read(call, &input, tags.ok_or_else(|| missing(name))?)?;
    call.here().verification_templates.insert(name.to_owned(), template);
    Ok(json!({}))
}

/// `DeleteCustomVerificationEmailTemplate`.
pub(super) fn delete_verification(call: &mut Call<'_>) -> Reply {
    let name = call.label(0);
    call.here().verification_templates.remove(name).ok_or_else(|| missing(name))?;
    Ok(json!({}))
}

/// `ListCustomVerificationEmailTemplates`: without content.
pub(super) fn list_verification(call: &mut Call<'_>) -> Reply {
    let page = Page::of_query(call, 50)?;
    let items = call.here().verification_templates.iter();
    let items = items.map(|(name, template)| (name.clone(), template.shown(name))).collect();
    let (items, next) = page.cut(items);
    let mut reply = json!({ "CustomVerificationEmailTemplates": items });
    put(&mut reply, "NextToken", next);
    Ok(reply)
}
