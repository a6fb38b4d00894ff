// Relays of Identity-Aware Proxy that lie, each against the code of the tunnel.

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { messageOf } from '../../../src/common/errors.ts'
import { TunnelError } from '../../../src/google/iap/errors.ts'
import { openIapTunnel } from '../../../src/google/iap/tunnel.ts'
import { plain } from '../../../src/common/remote-text.ts'
import { hostileRelays } from '../../support/hostile/relays.ts'

const secret = 'ya29.S3cret'
const target = { project: 'shop', zone: 'europe-west1-b', instance: 'node-1', interface: 'nic0', port: 22 }
const timing = {
  firstDelayMs: 5,
  maxDelayMs: 1_000,
  patienceMs: 500,
  openTimeoutMs: 500,
  pingIntervalMs: 100,
  closeTimeoutMs: 50,
}

let relay: WebSocketServer
afterEach(() => {
  for (const client of relay.clients) client.terminate()
  relay.close()
})

/** Opens a tunnel, and writes and reads until it ends. @returns the error */
async function errorOf(url: string, reasons: string[]): Promise<unknown> {
  let tunnel: Duplex
  try {
    const onReconnecting = (reason: string): void => void reasons.push(reason)
    tunnel = await openIapTunnel(target, { url, token: () => Promise.resolve(secret), onReconnecting, timing })
  } catch (error) {
    return error
  }
  return new Promise((resolve) => {
    tunnel.once('error', resolve)
    tunnel.once('close', () => resolve(undefined))
    tunnel.resume()
    tunnel.write('SSH-2.0-test\r\n')
  })
}

it.each(hostileRelays.map((one) => [one.does, one] as const))(
  'a relay that %s does not hold or mislead the tunnel',
  async (_does, { serve }) => {
    let count = 0
    relay = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: (offered) => [...offered][0] ?? false })
    await once(relay, 'listening')
    const requests: string[] = []
    relay.on('connection', (socket, request) => {
      socket.on('error', () => undefined)
      requests.push(request.url ?? '')
      serve(socket, count++)
    })
    const reasons: string[] = []
    const url = `ws://127.0.0.1:${String((relay.address() as AddressInfo).port)}/v4`
    const error = await errorOf(url, reasons)
    expect(error).toBeInstanceOf(TunnelError)
    for (const text of [messageOf(error), ...reasons]) {
      expect(text).not.toContain(secret)
      expect(text.length).toBeLessThan(2_000)
      expect(plain(text)).not.toMatch(/^\s*::|##\[/m)
    }
    expect(Math.max(...requests.map((one) => one.length))).toBeLessThan(10_000)
    expect(requests.join(' ')).not.toContain(secret)
  },
)
