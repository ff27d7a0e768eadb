//! A message as it was asked to be sent: simple, raw or from a template, always with the same parts.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fakecloud_core::service::AwsServiceError;
use serde_json::Value;

use super::errors::{bad_request, serialization};
use super::input::Input;
use super::suppression::canonical;
use super::templates::{Content, data};

const MOST_RECIPIENTS: usize = 50;
const LARGEST: usize = 40 * 1024 * 1024;

/// What a request wants sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Message {
    /// The From header, with its display name.
    pub(super) from: String,
    pub(super) to: Vec<String>,
    pub(super) cc: Vec<String>,
    pub(super) bcc: Vec<String>,
    pub(super) subject: String,
    pub(super) headers: Vec<(String, String)>,
    /// Everything that was in the body, to be looked through.
    pub(super) body: String,
    pub(super) tags: BTreeMap<String, Vec<String>>,
    /// The set named in the request or in a header.
    pub(super) set: Option<String>,
    pub(super) feedback: Option<String>,
    pub(super) identity_arn: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) list: Option<(String, Option<String>)>,
    pub(super) template: Option<Filled>,
    pub(super) is_raw: bool,
}

/// A template and what goes into it.
#[derive(Clone, Debug)]
pub(super) struct Filled {
    pub(super) template: TemplateSource,
    pub(super) data: Value,
}

/// A stored template, or one that came with the request.
#[derive(Clone, Debug)]
pub(super) enum TemplateSource {
    Named(String),
    Given(Content),
}

impl Message {
    /// The message of a `SendEmail`.
    pub(super) fn read(input: &Input<'_>) -> Result<Self, AwsServiceError> {
        let mut message = Self::frame(input)?;
        message.add_tags(input, "EmailTags")?;
        if let Some(destination) = input.object("Destination")? {
            message.add_destination(&destination)?;
        }
        if let Some(options) = input.object("ListManagementOptions")? {
            let list = options.required_text("ContactListName")?.to_owned();
            message.list = Some((list, options.text("TopicName")?.map(str::to_owned)));
        }
        let content = input.required_object("Content")?;
        let (simple, raw, template) =
            (content.object("Simple")?, content.object("Raw")?, content.object("Template")?);
        match (simple, raw, template) {
            (Some(simple), None, None) => message.add_simple(&simple)?,
            (None, Some(raw), None) => message.add_raw(&raw)?,
            (None, None, Some(template)) => {
                message.template = Some(filled(&template, None)?);
                message.add_headers(&template)?;
            }
            _ => {
                return Err(bad_request(
                    "Exactly one of Simple, Raw and Template must be specified.",
                ));
            }
        }
        message.check()?;
        Ok(message)
    }

    /// The messages of a `SendBulkEmail`.
    pub(super) fn read_bulk(input: &Input<'_>) -> Result<Vec<Self>, AwsServiceError> {
        let mut frame = Self::frame(input)?;
        frame.add_tags(input, "DefaultEmailTags")?;
        let template = input.required_object("DefaultContent")?.object("Template")?;
        let template = template.ok_or_else(|| bad_request("A template must be specified."))?;
        let entries = input.required_objects("BulkEmailEntries")?;
        if entries.is_empty() {
            return Err(bad_request("At least one entry must be specified."));
        }
        let messages = entries.iter().map(|entry| {
            let mut message = frame.clone();
            message.add_destination(&entry.required_object("Destination")?)?;
            message.add_tags(entry, "ReplacementTags")?;
            let content = entry.object("ReplacementEmailContent")?;
            let replacement = match content
                .map(|content| content.object("ReplacementTemplate"))
                .transpose()?
                .flatten()
            {
                Some(block) => block.text("ReplacementTemplateData")?,
                None => None,
            };
            message.template = Some(filled(&template, replacement)?);
            message.check()?;
            Ok(message)
        });
        messages.collect()
    }

    fn frame(input: &Input<'_>) -> Result<Self, AwsServiceError> {
        let text = |name| input.text(name).map(|text| text.map(str::to_owned));
        Ok(Self {
            from: text("FromEmailAddress")?.unwrap_or_default(),
            set: text("ConfigurationSetName")?,
            feedback: text("FeedbackForwardingEmailAddress")?,
            identity_arn: text("FromEmailAddressIdentityArn")?,
            tenant: text("TenantName")?,
            ..Self::default()
        })
    }

    fn add_destination(&mut self, input: &Input<'_>) -> Result<(), AwsServiceError> {
        let list = |name| {
            let texts = input.texts(name)?.unwrap_or_default();
            Ok::<_, AwsServiceError>(texts.into_iter().map(str::to_owned).collect::<Vec<_>>())
        };
        (self.to, self.cc, self.bcc) =
            (list("ToAddresses")?, list("CcAddresses")?, list("BccAddresses")?);
        Ok(())
    }

    fn add_tags(&mut self, input: &Input<'_>, member: &str) -> Result<(), AwsServiceError> {
        for tag in input.objects(member)?.unwrap_or_default() {
            let (name, value) = (tag.required_text("Name")?, tag.required_text("Value")?);
            let word = |letter: char| {
                letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | '@')
            };
            let right =
                |text: &str| !text.is_empty() && text.len() <= 255 && text.chars().all(word);
            if !right(name) || !right(value) || name.starts_with("ses:") {
                return Err(bad_request(format!("Invalid tag name or value: <{name}>.")));
            }
            self.tags.insert(name.to_owned(), vec![value.to_owned()]);
        }
        Ok(())
    }

    fn add_headers(&mut self, input: &Input<'_>) -> Result<(), AwsServiceError> {
        for header in input.objects("Headers")?.unwrap_or_default() {
            let pair = (header.required_text("Name")?, header.required_text("Value")?);
            self.headers.push((pair.0.to_owned(), pair.1.to_owned()));
        }
        Ok(())
    }

    fn add_simple(&mut self, input: &Input<'_>) -> Result<(), AwsServiceError> {
        input.required_object("Subject")?.required_text("Data")?.clone_into(&mut self.subject);
        let body = input.required_object("Body")?;
        for part in ["Text", "Html"] {
            if let Some(part) = body.object(part)? {
                self.body.push_str(part.required_text("Data")?);
            }
        }
        for attachment in input.objects("Attachments")?.unwrap_or_default() {
            let bytes = decoded(attachment.required_text("RawContent")?)?;
            self.body.push_str(&String::from_utf8_lossy(&bytes));
        }
        self.add_headers(input)
    }

    /// A raw message brings what the request does not say in its own headers.
    fn add_raw(&mut self, input: &Input<'_>) -> Result<(), AwsServiceError> {
        let bytes = decoded(input.required_text("Data")?)?;
        if bytes.len() > LARGEST {
            return Err(super::errors::message_rejected(
                "Message length is more than 41943040 bytes.",
            ));
        }
        let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
        let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
        self.is_raw = true;
        self.headers = headers(head);
        body.clone_into(&mut self.body);
        self.subject = self.header("Subject").unwrap_or_default();
        if self.from.is_empty() {
            self.from = self.header("From").unwrap_or_default();
        }
        if self.to.is_empty() && self.cc.is_empty() && self.bcc.is_empty() {
            let list = |value: Option<String>| addresses(&value.unwrap_or_default());
            (self.to, self.cc, self.bcc) =
                (list(self.header("To")), list(self.header("Cc")), list(self.header("Bcc")));
        }
        if self.set.is_none() {
            self.set = self.header("X-SES-CONFIGURATION-SET");
        }
        for tag in self.header("X-SES-MESSAGE-TAGS").unwrap_or_default().split(',') {
            if let Some((name, value)) = tag.split_once('=') {
                self.tags.insert(name.trim().to_owned(), vec![value.trim().to_owned()]);
            }
        }
        Ok(())
    }

    /// The value of a header, whatever the case of its name.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let found = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone())
    }

    fn check(&self) -> Result<(), AwsServiceError> {
        if address(&self.from).is_none() {
            return Err(bad_request("Missing or invalid From address."));
        }
        let recipients = self.recipients();
        if recipients.is_empty() {
            return Err(bad_request("At least one recipient must be specified."));
        }
        if recipients.len() > MOST_RECIPIENTS {
            return Err(bad_request(format!("Recipient count exceeds {MOST_RECIPIENTS}.")));
        }
        let listed = self.to.len() + self.cc.len() + self.bcc.len();
        if recipients.len() < listed {
            return Err(bad_request("Invalid recipient address."));
        }
        Ok(())
    }

    /// The bare From address.
    pub(super) fn sender(&self) -> String {
        address(&self.from).unwrap_or_default()
    }

    /// The name before the From address, if there is one.
    pub(super) fn sender_name(&self) -> Option<String> {
        let (name, _) = self.from.rsplit_once('<')?;
        Some(name.trim().trim_matches('"').to_owned()).filter(|name| !name.is_empty())
    }

    /// To, Cc and Bcc as bare addresses.
    pub(super) fn recipients(&self) -> Vec<String> {
        self.to.iter().chain(&self.cc).chain(&self.bcc).filter_map(|text| address(text)).collect()
    }
}

fn decoded(text: &str) -> Result<Vec<u8>, AwsServiceError> {
    STANDARD.decode(text).map_err(|_| serialization("Expected base64 data"))
}

fn filled(input: &Input<'_>, replacement: Option<&str>) -> Result<Filled, AwsServiceError> {
    let (name, arn) = (input.text("TemplateName")?, input.text("TemplateArn")?);
    let content = input.object("TemplateContent")?;
    let named = name.or_else(|| arn.and_then(|arn| arn.rsplit_once('/')).map(|(_, name)| name));
    let template = match (named, content) {
        (Some(name), None) => TemplateSource::Named(name.to_owned()),
        (None, Some(content)) => TemplateSource::Given(Content::read(&content)?),
        _ => return Err(bad_request("Either a template name or its content must be specified.")),
    };
    let mut values = data(input.text("TemplateData")?.unwrap_or("{}"))?;
    if let (Some(members), Some(replacement)) = (values.as_object_mut(), replacement)
        && let Value::Object(replacement) = data(replacement)?
    {
        members.extend(replacement);
    }
    Ok(Filled { template, data: values })
}

/// The headers of a raw message, unfolded.
fn headers(head: &str) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in head.lines() {
        match (line.starts_with([' ', '\t']), headers.last_mut()) {
            (true, Some((_, value))) => {
                value.push(' ');
                value.push_str(line.trim());
            }
            _ => {
                if let Some((name, value)) = line.split_once(':') {
                    headers.push((name.trim().to_owned(), value.trim().to_owned()));
                }
            }
        }
    }
    headers
}

/// The addresses of a header, split at the commas outside quotes.
fn addresses(header: &str) -> Vec<String> {
    let mut quoted = false;
    let parts = header.split(|letter: char| {
        quoted ^= letter == '"';
        letter == ',' && !quoted
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The bare address of a text such as `"Name" <a@example.com>`.
pub(super) fn address(text: &str) -> Option<String> {
    let text = text.trim();
    let bare = match text.rsplit_once('<') {
        Some((_, rest)) => rest.strip_suffix('>')?,
        None => text,
    };
    let (local, domain) = bare.trim().rsplit_once('@')?;
    let clean = |part: &str| {
        !part.is_empty() && !part.chars().any(|letter| letter.is_whitespace() || letter == '@')
    };
    (clean(local) && clean(domain)).then(|| canonical(bare))
}
