import { issueCommand } from './workflow-commands.ts'

const masked = new Set<string>()

/** Masks a secret and its base64 in the log: kubeconfigs, Kubernetes Secrets and basic authentication contain it in that form. */
export function maskSecret(secret: string): void {
  if (secret === '' || masked.has(secret)) return
  masked.add(secret)
  issueCommand('add-mask', secret)
  issueCommand('add-mask', Buffer.from(secret).toString('base64'))
}
