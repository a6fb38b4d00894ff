/** Whether the host of a URL is this machine: its traffic passes no network. `localhost` is resolved to loopback only (RFC 6761, section 6.3). */
export function isLoopback({ hostname }: URL): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(hostname)
}
