# The setup for a capture at node level over SSH, in addition to ../main.tf. Together, these permissions make the service account root on
# the cluster's nodes: grant them to approved runs only, as ../main.tf does.
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
  description = "The ID of the project that contains the nodes."
}

variable "name" {
  type        = string
  description = "The variable name of ../main.tf; the role and the firewall rules are named after it."
  default     = "packet-capture"
}

variable "service_account" {
  type        = string
  description = "The email address of the service account from ../main.tf (its output service_account)."
}

variable "node_service_account" {
  type        = string
  description = "The email address of the service account of the nodes."
}

variable "network" {
  type        = string
  description = "The network of the cluster."
}

variable "node_tag" {
  type        = string
  description = "The network tag of the cluster's nodes: gke-CLUSTER-HASH-node."
}

variable "os_login" {
  type        = bool
  description = "Whether the nodes use OS Login (enable-oslogin in the metadata of the project)."
}

variable "ipv6" {
  type        = bool
  description = "Whether the nodes are reached over IPv6 as well."
  default     = false
}

locals {
  member = "serviceAccount:${var.service_account}"
}

resource "google_project_service" "needed" {
  for_each           = toset(["compute.googleapis.com", "iap.googleapis.com", "oslogin.googleapis.com"])
  project            = var.project
  service            = each.key
  disable_on_destroy = false
}

resource "google_project_iam_custom_role" "node" {
  project = var.project
  role_id = "${replace(var.name, "-", "_")}_node"
  title   = "Packet capture on nodes (${var.name})"
  permissions = concat(
    ["compute.instances.get", "compute.instances.getGuestAttributes", "compute.projects.get"],
    var.os_login ? [] : ["compute.instances.setMetadata", "compute.zoneOperations.get"],
  )
}

resource "google_project_iam_member" "node" {
  project = var.project
  role    = google_project_iam_custom_role.node.id
  member  = local.member
}

resource "google_project_iam_member" "os_login" {
  count   = var.os_login ? 1 : 0
  project = var.project
  role    = "roles/compute.osAdminLogin"
  member  = local.member
}

resource "google_project_iam_member" "tunnel" {
  project = var.project
  role    = "roles/iap.tunnelResourceAccessor"
  member  = local.member
  condition {
    title      = "SSH only"
    expression = "destination.port == 22"
  }
}

# A user who logs in to a node can use its service account.
resource "google_service_account_iam_member" "act_as_node" {
  service_account_id = "projects/${var.project}/serviceAccounts/${var.node_service_account}"
  role               = "roles/iam.serviceAccountUser"
  member             = local.member
}

# https://cloud.google.com/iap/docs/using-tcp-forwarding
resource "google_compute_firewall" "iap_ssh" {
  project       = var.project
  name          = "${var.name}-iap-ssh"
  network       = var.network
  direction     = "INGRESS"
  source_ranges = ["35.235.240.0/20"]
  target_tags   = [var.node_tag]
  allow {
    protocol = "tcp"
    ports    = ["22"]
  }
}

# A firewall rule cannot mix IPv4 and IPv6 ranges.
resource "google_compute_firewall" "iap_ssh_ipv6" {
  count         = var.ipv6 ? 1 : 0
  project       = var.project
  name          = "${var.name}-iap-ssh-ipv6"
  network       = var.network
  direction     = "INGRESS"
  source_ranges = ["2600:2d00:1:7::/64"]
  target_tags   = [var.node_tag]
  allow {
    protocol = "tcp"
    ports    = ["22"]
  }
}
