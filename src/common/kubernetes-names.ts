/** DNS subdomain and label, RFC 1123 as Kubernetes reads it (apimachinery, pkg/util/validation). */
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

/** Whether Kubernetes accepts the text as the name of a namespace; it becomes a part of URLs and of commands. */
export function isNamespaceName(text: string): boolean {
  return label.test(text) && text.length <= 63
}

/** Whether Kubernetes accepts the text as the name of a pod, a node or a deployment. */
export function isObjectName(text: string): boolean {
  return subdomain.test(text) && text.length <= 253
}
