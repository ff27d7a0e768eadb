//! The contact list, of which an account has one per Region, and its contacts.

use std::collections::BTreeMap;

use fakecloud_core::service::AwsServiceError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Call, Page, put, seconds};
use super::errors::{Reply, already_exists, bad_request, not_found};
use super::input::{Choice, Input, choices, simple_name};
use super::state::Tags;
use super::tags;

const MOST_TOPICS: usize = 20;

choices! {
    /// Whether a contact gets the mails of a topic.
    Subscription { OptIn = "OPT_IN", OptOut = "OPT_OUT" }
}

/// The list with its topics and contacts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ContactList {
    pub(super) name: String,
    description: Option<String>,
    topics: Vec<Topic>,
    contacts: BTreeMap<String, Contact>,
    created: i64,
    updated: i64,
    pub(super) tags: Tags,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Topic {
    name: String,
    display_name: String,
    default: Subscription,
    description: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Contact {
    preferences: BTreeMap<String, Subscription>,
    unsubscribed: bool,
    attributes: Option<String>,
    created: i64,
    updated: i64,
}

impl ContactList {
    /// Whether the contact gets mails of this topic (or any mail, without one).
    pub(super) fn takes(&self, address: &str, topic: Option<&str>) -> bool {
        let contact = self.contacts.get(address);
        if contact.is_some_and(|contact| contact.unsubscribed) {
            return false;
        }
        let Some(topic) = topic else { return true };
        let own = contact.and_then(|contact| contact.preferences.get(topic).copied());
        let default =
            || self.topics.iter().find(|known| known.name == topic).map(|known| known.default);
        own.or_else(default) != Some(Subscription::OptOut)
    }

    fn shown_defaults(&self) -> Value {
        self.topics.iter().map(|topic| preference(&topic.name, topic.default)).collect()
    }
}

fn preference(topic: &str, subscription: Subscription) -> Value {
    json!({ "TopicName": topic, "SubscriptionStatus": subscription.text() })
}

fn topics(input: &Input<'_>) -> Result<Option<Vec<Topic>>, AwsServiceError> {
    let Some(blocks) = input.objects("Topics")? else { return Ok(None) };
    let mut topics: Vec<Topic> = Vec::new();
    for block in blocks {
        let topic = Topic {
            name: block.required_text("TopicName")?.to_owned(),
            display_name: block.required_bounded("DisplayName", 0, 128)?.to_owned(),
            default: block.required_choice("DefaultSubscriptionStatus")?,
            description: block.bounded_text("Description", 0, 500)?.map(str::to_owned),
        };
        simple_name("topic name", &topic.name)?;
        if topics.iter().any(|known| known.name == topic.name) {
            return Err(bad_request(format!("Topic <{}> is given more than once.", topic.name)));
        }
        topics.push(topic);
    }
    if topics.len() > MOST_TOPICS {
        return Err(bad_request(format!("A contact list may have {MOST_TOPICS} topics.")));
    }
    Ok(Some(topics))
}

fn list<'c>(call: &'c mut Call<'_>) -> Result<&'c mut ContactList, AwsServiceError> {
    let name = call.label(0);
    let list = call.here().contact_list.as_mut().filter(|list| list.name == name);
    list.ok_or_else(|| not_found(format!("List with name: {name} doesn't exist.")))
}

/// `CreateContactList`.
pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let name = input.required_text("ContactListName")?;
    let description = input.bounded_text("Description", 0, 500)?.map(str::to_owned);
    let topics = topics(&input)?.unwrap_or_default();
    let tags = tags::given(&input)?;
    simple_name("contact list name", name)?;
    let now = call.now;
    let slot = &mut call.here().contact_list;
    if slot.is_some() {
        return Err(bad_request("A maximum of 1 Lists allowed per account."));
    }
    *slot = Some(ContactList {
        name: name.to_owned(),
        description,
        topics,
        contacts: BTreeMap::new(),
        created: now,
        updated: now,
        tags,
    });
    Ok(json!({}))
}

/// `GetContactList`.
pub(super) fn get(call: &mut Call<'_>) -> Reply {
    let list = list(call)?;
    let topics = list.topics.iter().map(|topic| {
        let mut shown = json!({
            "TopicName": topic.name,
            "DisplayName": topic.display_name,
            "DefaultSubscriptionStatus": topic.default.text(),
        });
        put(&mut shown, "Description", topic.description.clone());
        shown
    });
    let mut shown = json!({
        "ContactListName": list.name,
        "Topics": topics.collect::<Vec<_>>(),
        "CreatedTimestamp": seconds(list.created),
        "LastUpdatedTimestamp": seconds(list.updated),
        "Tags": tags::shown(&list.tags),
    });
    put(&mut shown, "Description", list.description.clone());
    Ok(shown)
}

/// `UpdateContactList`: a topic that is no longer named takes its preferences with it; a member left out stays.
pub(super) fn update(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let description = input.bounded_text("Description", 0, 500)?;
    let topics = topics(&input)?;
    let now = call.now;
    let list = list(call)?;
    if let Some(topics) = topics {
        for contact in list.contacts.values_mut() {
            contact.preferences.retain(|name, _| topics.iter().any(|topic| topic.name == *name));
        }
        list.topics = topics;
    }
    if let Some(description) = description {
        list.description = Some(description.to_owned());
    }
    list.updated = now;
    Ok(json!({}))
}

/// `DeleteContactList`: with every contact and preference.
pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    list(call)?;
    call.here().contact_list = None;
    Ok(json!({}))
}

/// `ListContactLists`.
#[expect(clippy::unnecessary_wraps, reason = "every operation has this type")]
pub(super) fn list_all(call: &mut Call<'_>) -> Reply {
    let lists = call.here().contact_list.iter().map(|list| {
        json!({ "ContactListName": list.name, "LastUpdatedTimestamp": seconds(list.updated) })
    });
    Ok(json!({ "ContactLists": lists.collect::<Vec<_>>() }))
}

fn preferences(
    list: &ContactList,
    input: &Input<'_>,
) -> Result<BTreeMap<String, Subscription>, AwsServiceError> {
    let mut preferences = BTreeMap::new();
    for block in input.objects("TopicPreferences")?.unwrap_or_default() {
        let topic = block.required_text("TopicName")?;
        let subscription = block.required_choice("SubscriptionStatus")?;
        if !list.topics.iter().any(|known| known.name == topic) {
            return Err(bad_request(format!("List <{}> has no topic <{topic}>.", list.name)));
        }
        preferences.insert(topic.to_owned(), subscription);
    }
    Ok(preferences)
}

fn no_contact(address: &str) -> AwsServiceError {
    not_found(format!("{address} doesn't exist in List."))
}

/// `CreateContact`.
pub(super) fn create_contact(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let address = input.required_text("EmailAddress")?;
    let unsubscribed = input.flag("UnsubscribeAll")?.unwrap_or(false);
    let attributes = input.text("AttributesData")?.map(str::to_owned);
    let now = call.now;
    let list = list(call)?;
    let preferences = preferences(list, &input)?;
    if list.contacts.contains_key(address) {
        return Err(already_exists(format!("Email address {address} already exists in the list.")));
    }
    let contact = Contact { preferences, unsubscribed, attributes, created: now, updated: now };
    list.contacts.insert(address.to_owned(), contact);
    Ok(json!({}))
}

/// `GetContact`.
pub(super) fn get_contact(call: &mut Call<'_>) -> Reply {
    let address = call.label(1);
    let list = list(call)?;
    let contact = list.contacts.get(address).ok_or_else(|| no_contact(address))?;
    let mut shown = shown_contact(list, address, contact);
    put(&mut shown, "ContactListName", Some(list.name.clone()));
    put(&mut shown, "CreatedTimestamp", Some(seconds(contact.created)));
    put(&mut shown, "AttributesData", contact.attributes.clone());
    Ok(shown)
}

fn shown_contact(list: &ContactList, address: &str, contact: &Contact) -> Value {
    let own =
        contact.preferences.iter().map(|(topic, subscription)| preference(topic, *subscription));
    json!({
        "EmailAddress": address,
        "TopicPreferences": own.collect::<Vec<_>>(),
        "TopicDefaultPreferences": list.shown_defaults(),
        "UnsubscribeAll": contact.unsubscribed,
        "LastUpdatedTimestamp": seconds(contact.updated),
    })
}

/// `UpdateContact`: preferences are merged by topic, the rest is replaced.
pub(super) fn update_contact(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let unsubscribed = input.flag("UnsubscribeAll")?.unwrap_or(false);
    let attributes = input.text("AttributesData")?.map(str::to_owned);
    let address = call.label(1);
    let now = call.now;
    let list = list(call)?;
    let preferences = preferences(list, &input)?;
    let contact = list.contacts.get_mut(address).ok_or_else(|| no_contact(address))?;
    contact.preferences.extend(preferences);
    (contact.unsubscribed, contact.attributes, contact.updated) = (unsubscribed, attributes, now);
    Ok(json!({}))
}

/// `DeleteContact`.
pub(super) fn delete_contact(call: &mut Call<'_>) -> Reply {
    let address = call.label(1);
    list(call)?.contacts.remove(address).ok_or_else(|| no_contact(address))?;
    Ok(json!({}))
}

/// `ListContacts`.
pub(super) fn list_contacts(call: &mut Call<'_>) -> Reply {
    let page = Page::of(&call.input()?, 1000)?;
    let list = list(call)?;
    let contacts = list.contacts.iter();
    let contacts = contacts
        .map(|(address, contact)| (address.clone(), shown_contact(list, address, contact)))
        .collect();
    let (contacts, next) = page.cut(contacts);
    let mut reply = json!({ "Contacts": contacts });
    put(&mut reply, "NextToken", next);
    Ok(reply)
}
