import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Instance } from '../sandbox/google/compute.ts'
import { guestLack, startGuest, type Guest, type GuestOptions } from '../sandbox/google/guest.ts'
import { startRelay, type Relay } from '../sandbox/google/relay.ts'
import { startGoogle, type GoogleServices } from '../sandbox/google/start.ts'
import { kubectl, testClusterState } from './cluster.ts'

/** Why the node of the test cluster cannot be used as a GKE node; undefined if it can. */
export const googleNodeMissing =
  testClusterState === undefined ? 'a cluster whose node is this machine; .ci/run' : guestLack

const project = { id: 'demo-project', number: '123456789012' }

/** The node of the test cluster (this machine) as a Compute Engine instance: fakes of Google's APIs and of the relay, and a real sshd behind it. */
export interface GoogleNode {
  readonly google: GoogleServices
  readonly relay: Relay
  readonly guest: Guest
  readonly instance: Instance
  /** the environment of a job after google-github-actions/auth */
  readonly env: Record<string, string>
  close(): Promise<void>
}

export async function openGoogleNode(
  node: string,
  options: GuestOptions & { osLogin?: boolean } = {},
): Promise<GoogleNode> {
  await giveProviderId(node)
  const folder = mkdtempSync(join(tmpdir(), 'google-node-'))
  const google = await startGoogle({ project })
  const metadata = [{ key: 'enable-guest-attributes', value: 'TRUE' }]
  const instance = google.addInstance({ name: node, zone: 'us-central1-a', metadata })
  if (options.osLogin) google.world.compute.projectMetadata.push({ key: 'enable-oslogin', value: 'TRUE' })
  const guest = await startGuest(google.world, instance, options)
  const relay = await startRelay({
    backend: () => ({ host: '127.0.0.1', port: guest.port }),
    authenticate: (token) => google.identify(token) !== undefined,
  })
  const credentials = join(folder, 'gha-creds.json')
  writeFileSync(credentials, JSON.stringify(google.credentials({ serviceAccount: google.serviceAccount })), {
    mode: 0o600,
  })
  return {
    google,
    relay,
    guest,
    instance,
    env: { ...google.env(), GOOGLE_APPLICATION_CREDENTIALS: credentials, IAP_TUNNEL_URL_OVERRIDE: relay.url },
    close: async () => {
      await relay.stop()
      await guest.stop()
      await google.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A provider ID can be set once and never changed. */
async function giveProviderId(node: string): Promise<void> {
  const wanted = `gce://${project.id}/us-central1-a/${node}`
  const known = await kubectl(['get', 'node', node, '-o', 'jsonpath={.spec.providerID}'])
  if (known === '') await kubectl(['patch', 'node', node, '-p', JSON.stringify({ spec: { providerID: wanted } })])
  else if (known !== wanted) throw new Error(`the node ${node} has the providerID ${known}, not ${wanted}`)
}
