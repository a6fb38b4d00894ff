# The setup in Google Cloud for captures without standing access: only a job of the named GitHub environments of one repository gets permissions.
# Set the required reviewers of the environments in GitHub (Settings → Environments).
#
# All environments of one setup share one service account. For environments with different permissions in the cluster, use this folder as a
# module, once for each, with different names:
#
#   module "incident" {
#     source       = "./docs/terraform"
#     name         = "packet-capture"
#     environments = ["packet-capture"]
#     ...
#   }
#   module "scheduled" {
#     source       = "./docs/terraform"
#     name         = "packet-capture-scheduled"
#     environments = ["packet-capture-scheduled"]
#     ...
#   }
terraform {
  required_version = ">= 1.5"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.0"
    }
  }
}

variable "project" {
  type        = string
  description = "The ID of the project that contains the cluster."
}

variable "repository" {
  type        = string
  description = "The repository of the workflow, as OWNER/NAME."
}

variable "owner_id" {
  type        = string
  description = "The numeric ID of the repository's owner (`gh api users/OWNER --jq .id`). A name can be re-registered by another account, an ID cannot."
}

variable "name" {
  type        = string
  description = "The name of the service account; the pool and the custom role are named after it. Two setups in one project need different names."
  default     = "packet-capture"
  validation {
    # A service account has 6 to 30 characters, a pool ("github-" and the name) at most 32.
    condition     = can(regex("^[a-z][a-z0-9-]{4,23}[a-z0-9]$", var.name))
    error_message = "The name needs 6 to 25 lower-case letters, digits and hyphens; it begins with a letter and does not end with a hyphen."
  }
}

variable "environments" {
  type        = set(string)
  description = "The GitHub environments of the repository that get the permissions. Each one should have required reviewers, or allow only protected branches."
  default     = ["packet-capture"]
  validation {
    condition     = length(var.environments) > 0 && alltrue([for name in var.environments : can(regex("^[^'\\\\:]+$", name))])
    error_message = "At least one environment is needed, and a name must not contain apostrophes, backslashes or colons."
  }
}

locals {
  pool_id  = "github-${var.name}"
  role_id  = replace(var.name, "-", "_")
  subjects = { for name in var.environments : name => "repo:${var.repository}:environment:${name}" }
  attribute_condition = join(" && ", [
    "assertion.sub in [${join(", ", [for subject in values(local.subjects) : "'${subject}'"])}]",
    "assertion.repository_owner_id == '${var.owner_id}'",
  ])
}

# Terraform uses Resource Manager to read the project. For `endpoint: connect-gateway`, add connectgateway and gkehub. The APIs for `level: node` are
# in node/main.tf.
resource "google_project_service" "needed" {
  for_each = toset([
    "cloudresourcemanager.googleapis.com",
    "container.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "sts.googleapis.com",
  ])
  project            = var.project
  service            = each.key
  disable_on_destroy = false
}

data "google_project" "this" {
  project_id = var.project
  depends_on = [google_project_service.needed]
}

resource "google_iam_workload_identity_pool" "github" {
  project                   = var.project
  workload_identity_pool_id = local.pool_id
  display_name              = "GitHub ${var.name}"
  depends_on                = [google_project_service.needed]
}

resource "google_iam_workload_identity_pool_provider" "github" {
  project                            = var.project
  workload_identity_pool_id          = google_iam_workload_identity_pool.github.workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  attribute_mapping = {
    "google.subject" = "assertion.sub"
  }
  attribute_condition = local.attribute_condition
  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

# The permissions that the action uses in Google Cloud: to read the cluster, and to connect to its DNS endpoint. Everything else is Kubernetes RBAC.
resource "google_project_iam_custom_role" "packet_capture" {
  project     = var.project
  role_id     = local.role_id
  title       = "Packet capture (${var.name})"
  permissions = ["container.clusters.get", "container.clusters.connect"]
  depends_on  = [google_project_service.needed]
}

resource "google_service_account" "packet_capture" {
  project      = var.project
  account_id   = var.name
  display_name = "Packet capture, for approved GitHub runs only"
  depends_on   = [google_project_service.needed]
}

resource "google_project_iam_member" "packet_capture" {
  project = var.project
  role    = google_project_iam_custom_role.packet_capture.id
  member  = "serviceAccount:${google_service_account.packet_capture.email}"
}

# Only these subjects may impersonate the service account.
resource "google_service_account_iam_member" "github" {
  for_each           = local.subjects
  service_account_id = google_service_account.packet_capture.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principal://iam.googleapis.com/projects/${data.google_project.this.number}/locations/global/workloadIdentityPools/${google_iam_workload_identity_pool.github.workload_identity_pool_id}/subject/${each.value}"
}

output "workload_identity_provider" {
  description = "The action's input workload-identity-provider."
  value       = google_iam_workload_identity_pool_provider.github.name
}

output "service_account" {
  description = "The action's input service-account, and the User in docs/rbac/google-service-account.yaml."
  value       = google_service_account.packet_capture.email
}
