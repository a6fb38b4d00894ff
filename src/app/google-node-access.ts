import type { Duplex } from 'node:stream'
import type { NodeAccess, NodeLogin, NodePlatform, RevokedLogin, SavedLogin } from '../capture/recorders/ssh/access.ts'
import { ConfigurationError } from '../common/errors.ts'
import { environmentProxy, type Proxy } from '../common/proxy.ts'
import type { GoogleTokenSource } from '../google/auth/identity.ts'
import { openGoogleApis, type GoogleApis } from '../google/compute/apis.ts'
import { describeInstance, instancePath, type InstanceName, type NodeInstance } from '../google/compute/instance.ts'
import {
  generateLoginKey,
  grantLogin,
  planLogin,
  revokeLogin,
  type LoginKey,
  type LoginRecord,
} from '../google/compute/login.ts'
import { missingPermissions, type MissingPermission } from '../google/compute/permissions.ts'
import { computeSshAdvice } from '../google/compute/ssh-advice.ts'
import { relayUrl } from '../google/iap/relay-url.ts'
import { openIapTunnel } from '../google/iap/tunnel.ts'
import { iapRanges } from '../google/iap/types.ts'

const sshPort = 22
/** What the relay gets to reach the port of the instance in a check: a firewall that drops packets gives no answer. */
const checkTimeoutMs = 20_000

const platform: NodePlatform = {
  tunnelRanges: Object.values(iapRanges),
  fixes: {
    rootMissing: 'With OS Login, grant roles/compute.osAdminLogin; osLogin is not enough.',
    imageNotPulled: 'To pull it, the node needs Private Google Access and roles/artifactregistry.reader.',
    internetMissing: 'The node needs access to the Internet for that (Cloud NAT).',
  },
}

/** The nodes of GKE: Compute Engine instances, reached through Identity-Aware Proxy. */
export class GoogleNodeAccess implements NodeAccess {
  readonly platform = platform
  /** URL of the relay */
  readonly relay: string
  readonly #google: GoogleTokenSource
  readonly #apis: GoogleApis

  /** @throws ConfigurationError where the environment names an address that cannot be used */
  constructor(google: GoogleTokenSource, env: NodeJS.ProcessEnv, apis = openGoogleApis(google, env)) {
    this.relay = relayUrl(env, google.universe)
    this.#google = google
    this.#apis = apis
  }

  /** The proxy between the runner and the relay. */
  relayProxy(): Promise<Proxy | undefined> {
    return environmentProxy(this.relay.replace(/^ws/, 'http'))
  }

  planLogin(earlier: SavedLogin): Promise<NodeLogin> {
    const { project, zone, instance } = earlier as LoginRecord
    return this.planLoginTo({ project, zone, name: instance })
  }

  /** Reads the instance and plans how to log in to it; nothing is created. @throws ConfigurationError */
  async planLoginTo(name: InstanceName): Promise<NodeLogin> {
    const instance = await describeInstance(this.#apis, name)
    if (instance.status !== undefined && instance.status !== 'RUNNING') {
      throw new ConfigurationError({
        code: 'E_GCE_INSTANCE_NOT_RUNNING',
        input: 'node-method',
        problem: `${instancePath(name)} is not running (${instance.status})`,
        fix: 'Run the job again when the node is ready.',
      })
    }
    const key = generateLoginKey()
    const saved = planLogin(instance, this.#google.serviceAccount, key)
    return new GoogleNodeLogin({ google: this.#google, apis: this.#apis, access: this, instance, key, saved })
  }

  async revokeLogin(login: SavedLogin): Promise<RevokedLogin> {
    const { isKeyRemoved, leftovers } = await revokeLogin(this.#apis, login as LoginRecord)
    return { isRevoked: isKeyRemoved, leftovers }
  }
}

interface LoginParts {
  readonly google: GoogleTokenSource
  readonly apis: GoogleApis
  readonly access: GoogleNodeAccess
  readonly instance: NodeInstance
  readonly key: LoginKey
  readonly saved: LoginRecord
}

class GoogleNodeLogin implements NodeLogin {
  readonly saved: LoginRecord
  readonly privateKey: string
  readonly hostKeys: readonly string[]
  readonly hostKeyFix = 'To have it verified, let the nodes publish their keys (enable-guest-attributes).'
  readonly sshAdvice = computeSshAdvice
  readonly grantText: string
  readonly #parts: LoginParts

  constructor(parts: LoginParts) {
    const { key, saved, instance } = parts
    this.saved = saved
    this.privateKey = key.privateKey
    this.hostKeys = instance.hostKeys
    this.grantText =
      saved.kind === 'os-login'
        ? `Imported an SSH key into the OS Login profile of ${saved.account ?? '?'}`
        : `Added an SSH key to the metadata of ${instancePath(instance)}`
    this.#parts = parts
  }

  async check(): Promise<readonly string[]> {
    const { apis, instance } = this.#parts
    const missing = await missingPermissions(apis, instance, this.saved.kind)
    // A grant with a condition on the port, as in docs/terraform/node, is not in Google's answer: for the tunnel the relay decides.
    const tunnel = missing.filter(({ permission }) => permission.startsWith('iap.'))
    if (missing.length > tunnel.length) throw this.#permissionsMissing(missing)
    // Without a key: the answers of IAP, the firewall and sshd are known before anything is created.
    const stream = await this.#openTunnel({ timing: { openTimeoutMs: checkTimeoutMs } })
    stream.destroy()
    return [
      ...tunnel.map(
        ({ permission, role }) =>
          `Tunnel: Google does not report that ${permission} is granted (${role}), but the relay accepts the connection`,
      ),
      `Tunnel: the relay reaches port ${sshPort} of ${instance.name}`,
      `Instance: ${instancePath(instance)}`,
      this.saved.kind === 'os-login'
        ? `Login: OS Login as ${this.saved.account ?? '?'}, with a key of this run that expires`
        : 'Login: a key of this run in the metadata of the instance, which expires',
      instance.hostKeys.length > 0
        ? 'Host key: known from the guest attributes of the instance'
        : 'Host key: not published by the instance; the first one seen is pinned for this run',
      ...instance.remarks,
    ]
  }

  async grant(expires: Date): Promise<string> {
    const { apis, instance, key } = this.#parts
    const { user } = await grantLogin(apis, { instance, key, record: this.saved, expires })
    return user
  }

  openTunnel(onReconnecting: (reason: string) => void): Promise<Duplex> {
    return this.#openTunnel({ onReconnecting })
  }

  async #openTunnel(options: Partial<Parameters<typeof openIapTunnel>[1]>): Promise<Duplex> {
    const { access, google, instance } = this.#parts
    const { project, zone, name, interface: networkInterface } = instance
    const proxy = await access.relayProxy()
    return openIapTunnel(
      { project, zone, instance: name, interface: networkInterface, port: sshPort },
      {
        url: access.relay,
        token: async (refused) => {
          if (refused !== undefined) google.refused(refused)
          return (await google.token()).value
        },
        ...(proxy ? { agent: proxy.agent } : {}),
        ...options,
      },
    )
  }

  #permissionsMissing(missing: readonly MissingPermission[]): ConfigurationError {
    return new ConfigurationError({
      code: 'E_GCE_PERMISSIONS_MISSING',
      input: 'node-method',
      problem: `${this.#parts.google.description} lacks permissions for SSH to the node`,
      details: missing.map(({ permission, resource, role }) => `${permission} on ${resource} (${role})`),
      fix: 'docs/terraform/node/main.tf has the roles. Or use `node-method: pod`.',
    })
  }
}
