# Google's side of a capture without standing access: rights exist only for a job of one GitHub environment of one repository.
# The environment's required reviewers are set in GitHub (Settings → Environments).
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
  description = "The id of the project of the cluster."
}

variable "repository" {
  type        = string
  description = "The repository whose workflow captures, as OWNER/NAME."
}

variable "owner_id" {
  type        = string
  description = "The number of the repository's owner (`gh api users/OWNER --jq .id`): names can be taken over, numbers cannot."
}

variable "environment" {
  type        = string
  description = "The GitHub environment with the required reviewers."
  default     = "packet-capture"
}

# To find the project itself Terraform asks Resource Manager. For `endpoint: connect-gateway` add connectgateway and gkehub; what `level: node` needs is
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
  workload_identity_pool_id = "github-packet-capture"
  display_name              = "GitHub packet capture"
  depends_on                = [google_project_service.needed]
}

resource "google_iam_workload_identity_pool_provider" "github" {
  project                            = var.project
  workload_identity_pool_id          = google_iam_workload_identity_pool.github.workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  attribute_mapping = {
    "google.subject" = "assertion.sub"
  }
  attribute_condition = join(" && ", [
    "assertion.sub == 'repo:${var.repository}:environment:${var.environment}'",
    "assertion.repository_owner_id == '${var.owner_id}'",
  ])
  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

# What the action asks of Google Cloud: where the cluster is, and (DNS endpoint) to be let through. All else is Kubernetes RBAC.
resource "google_project_iam_custom_role" "packet_capture" {
  project     = var.project
  role_id     = "packetCapture"
  title       = "Packet capture"
  permissions = ["container.clusters.get", "container.clusters.connect"]
  depends_on  = [google_project_service.needed]
}

resource "google_service_account" "packet_capture" {
  project      = var.project
  account_id   = "packet-capture"
  display_name = "Packet capture, by approved GitHub runs only"
  depends_on   = [google_project_service.needed]
}

resource "google_project_iam_member" "packet_capture" {
  project = var.project
  role    = google_project_iam_custom_role.packet_capture.id
  member  = "serviceAccount:${google_service_account.packet_capture.email}"
}

# The one subject may become the service account.
resource "google_service_account_iam_member" "github" {
  service_account_id = google_service_account.packet_capture.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principal://iam.googleapis.com/projects/${data.google_project.this.number}/locations/global/workloadIdentityPools/${google_iam_workload_identity_pool.github.workload_identity_pool_id}/subject/repo:${var.repository}:environment:${var.environment}"
}

output "workload_identity_provider" {
  description = "The action's input workload-identity-provider."
  value       = google_iam_workload_identity_pool_provider.github.name
}

output "service_account" {
  description = "The action's input service-account, and the User in docs/rbac/google-service-account.yaml."
  value       = google_service_account.packet_capture.email
}
