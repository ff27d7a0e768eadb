# The job as Terraform is told it; words between @ are filled in by compare.
terraform {
  required_providers { aws = { source = "hashicorp/aws" } }
}
provider "aws" {
  region = "@REGION@"
  skip_metadata_api_check = true
  endpoints {
    sesv2 = "@ENDPOINT@"
    sns = "@ENDPOINT@"
    iam = "@ENDPOINT@"
    sts = "@ENDPOINT@"
    route53 = "@ENDPOINT@"
  }
}
locals {
  domains = toset([@DOMAINS@])
  dkim = { for pair in setproduct(local.domains, [0, 1, 2]) : "${pair[0]} ${pair[1]}" => pair }
  topics = toset(["ses-feedback", "ses-deliveries"])
}
data "aws_route53_zone" "zone" { name = "bench.example." }
resource "aws_sesv2_configuration_set" "set" {
  configuration_set_name = "transactional"
  delivery_options { tls_policy = "@TLS@" }
  suppression_options { suppressed_reasons = ["BOUNCE", "COMPLAINT"] }
}
resource "aws_sns_topic" "topic" {
  for_each = local.topics
  name = each.key
}
resource "aws_sns_topic_policy" "topic" {
  for_each = local.topics
  arn = aws_sns_topic.topic[each.key].arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid = "AllowSES", Effect = "Allow", Action = "sns:Publish"
      Principal = { Service = "ses.amazonaws.com" }
      Resource = aws_sns_topic.topic[each.key].arn
      Condition = { StringEquals = { "aws:SourceAccount" = "@ACCOUNT@" } }
    }]
  })
}
resource "aws_sesv2_configuration_set_event_destination" "feedback" {
  configuration_set_name = aws_sesv2_configuration_set.set.configuration_set_name
  event_destination_name = "feedback"
  event_destination {
    enabled = true
    matching_event_types = ["BOUNCE", "COMPLAINT"]
    sns_destination { topic_arn = aws_sns_topic.topic["ses-feedback"].arn }
  }
  depends_on = [aws_sns_topic_policy.topic]
}
resource "aws_sesv2_configuration_set_event_destination" "deliveries" {
  configuration_set_name = aws_sesv2_configuration_set.set.configuration_set_name
  event_destination_name = "deliveries"
  event_destination {
    enabled = true
    matching_event_types = ["DELIVERY"]
    sns_destination { topic_arn = aws_sns_topic.topic["ses-deliveries"].arn }
  }
  depends_on = [aws_sns_topic_policy.topic]
}
resource "aws_sesv2_email_identity" "domain" {
  for_each = local.domains
  email_identity = each.key
  configuration_set_name = aws_sesv2_configuration_set.set.configuration_set_name
}
resource "aws_sesv2_email_identity_feedback_attributes" "domain" {
  for_each = local.domains
  email_identity = aws_sesv2_email_identity.domain[each.key].email_identity
  email_forwarding_enabled = false
}
resource "aws_sesv2_email_identity_mail_from_attributes" "domain" {
  for_each = local.domains
  email_identity = aws_sesv2_email_identity.domain[each.key].email_identity
  mail_from_domain = "mail.${each.key}"
}
resource "aws_route53_record" "dkim" {
  for_each = local.dkim
  zone_id = data.aws_route53_zone.zone.zone_id
  name = "${aws_sesv2_email_identity.domain[each.value[0]].dkim_signing_attributes[0].tokens[each.value[1]]}._domainkey.${each.value[0]}"
  type = "CNAME"
  ttl = 1800
  records = ["${aws_sesv2_email_identity.domain[each.value[0]].dkim_signing_attributes[0].tokens[each.value[1]]}.dkim.amazonses.com"]
}
resource "aws_route53_record" "mx" {
  for_each = local.domains
  zone_id = data.aws_route53_zone.zone.zone_id
  name = "mail.${each.key}"
  type = "MX"
  ttl = 1800
  records = ["10 feedback-smtp.@REGION@.amazonses.com"]
}
resource "aws_route53_record" "spf" {
  for_each = local.domains
  zone_id = data.aws_route53_zone.zone.zone_id
  name = "mail.${each.key}"
  type = "TXT"
  ttl = 1800
  records = ["v=spf1 include:amazonses.com ~all"]
}
resource "aws_route53_record" "dmarc" {
  for_each = local.domains
  zone_id = data.aws_route53_zone.zone.zone_id
  name = "_dmarc.${each.key}"
  type = "TXT"
  ttl = 1800
  records = ["v=DMARC1; p=quarantine; rua=mailto:dmarc@${each.key}"]
}
resource "aws_iam_policy" "api" {
  name = "bench-api"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid = "Send", Effect = "Allow", Action = ["ses:SendEmail", "ses:SendRawEmail"]
      Condition = { StringLike = { "ses:FromAddress" = ["*@*.bench.example"] } }
      Resource = concat(
        [for domain in local.domains : "arn:aws:ses:@REGION@:@ACCOUNT@:identity/${domain}"],
        ["arn:aws:ses:@REGION@:@ACCOUNT@:configuration-set/transactional"],
      )
    }]
  })
}
