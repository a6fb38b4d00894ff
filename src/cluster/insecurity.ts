import { isLoopback } from '../common/loopback.ts'

/** How a connection is protected. */
export interface Protection {
  readonly server: string
  /** `insecure-skip-tls-verify` of a kubeconfig */
  readonly skipsVerification?: boolean
}

/**
 * What protects the connection to an API server less than usual, whole sentences. `env`: Node.js reads NODE_TLS_REJECT_UNAUTHORIZED for all
 * connections of this process.
 */
export function protectionWarnings(
  { server, skipsVerification }: Protection,
  env: NodeJS.ProcessEnv,
): readonly string[] {
  const url = new URL(server)
  const warnings: string[] = []
  if (url.protocol === 'http:') {
    warnings.push(
      `The API server ${url.host} is reached over plain HTTP: nothing proves its identity` +
        (isLoopback(url) ? ', and other users of this machine may answer in its place.' : ' or protects what is sent.'),
    )
  } else if (skipsVerification === true) {
    warnings.push(
      `The certificate of the API server ${url.host} is not checked (insecure-skip-tls-verify): another server may answer in its place and receive ` +
        'the credentials.',
    )
  }
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') {
    warnings.push(
      'No certificate is checked, because NODE_TLS_REJECT_UNAUTHORIZED is 0: other servers may answer in the place of the API server, of the cloud ' +
        'provider and of GitHub, and receive the credentials. Remove the variable, and name the certificate authority instead.',
    )
  }
  return warnings
}
