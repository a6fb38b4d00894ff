import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { readFileSync } from 'node:fs'
import { kubeconfigPath, kubeconfigWith } from '../cluster.ts'

/** A TCP proxy in front of the API server that cuts, slows down and stalls connections. */
export interface Proxy {
  /** The text of a kubeconfig that uses the proxy. The API server's certificate is valid for 127.0.0.1. */
  kubeconfig: string
  /** bytes per second to the runner over all connections; undefined: unlimited */
  rate: number | undefined
  /** no data passes in either direction; new connections are accepted, and no data passes on them */
  stalled: boolean
  /** all existing and new connections are closed */
  away: boolean
  /** bytes to the runner so far */
  passed(): number
  /** number of connections so far */
  connections(): number
  /** Cuts the connection on which the bytes to the runner reach one of the offsets, in the middle of the data. */
  cutAt(offsets: readonly number[]): void
  /** number of cuts so far */
  cuts(): number
  close(): Promise<void>
}

const tick = 20

export async function startProxy(): Promise<Proxy> {
  const upstreamPort = Number(new URL(serverOf(kubeconfigPath())).port)
  const pairs = new Set<readonly [Socket, Socket]>()
  let passed = 0
  let connections = 0
  let cutsLeft: number[] = []
  let cuts = 0
  let freeAt = 0
  let stalled = false
  let away = false

  const end = (pair: readonly [Socket, Socket]): void => {
    if (!pairs.delete(pair)) return
    // Not resetAndDestroy: it waits for pending writes and leaves open handles. Data that is sent to a closed socket is answered with a reset.
    for (const socket of pair) socket.destroy()
  }

  const server = createServer((client) => {
    connections += 1
    if (away) {
      client.destroy()
      return
    }
    const upstream = connect(upstreamPort, '127.0.0.1')
    const pair = [client, upstream] as const
    pairs.add(pair)
    client.setNoDelay(true)
    upstream.setNoDelay(true)
    for (const socket of pair) {
      socket.on('error', () => end(pair))
    }
    client.on('close', () => {
      pairs.delete(pair)
      upstream.destroy()
    })

    /** Forwards the data of one side, delayed if the proxy is slow or stalled. */
    const pump = (from: Socket, to: Socket, delay: (bytes: number) => number): void => {
      let held = false // a chunk that has not been forwarded yet
      let ended = false
      from.on('data', (chunk: Buffer) => {
        from.pause()
        held = true
        const pass = (): void => {
          if (to.destroyed) return
          if (stalled) {
            setTimeout(pass, tick)
            return
          }
          if (to === client) {
            const cut = cutsLeft[0]
            if (cut !== undefined && passed + chunk.length >= cut) {
              cutsLeft.shift()
              cuts += 1
              client.write(chunk.subarray(0, cut - passed))
              passed = cut
              end(pair)
              return
            }
            passed += chunk.length
          }
          held = false
          if (to.write(chunk)) from.resume()
          else to.once('drain', () => from.resume())
          if (ended) to.end()
        }
        const wait = delay(chunk.length)
        if (wait > 0) setTimeout(pass, wait)
        else pass()
      })
      from.on('end', () => {
        ended = true
        if (!held) to.end()
      })
    }
    pump(client, upstream, () => 0)
    pump(upstream, client, (bytes) => {
      const { rate } = proxy
      if (rate === undefined) return 0
      const now = performance.now()
      freeAt = Math.max(freeAt, now) + (bytes / rate) * 1000
      return freeAt - now
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  const proxy: Proxy = {
    kubeconfig: kubeconfigWith({ cluster: { server: `https://127.0.0.1:${String(port)}` } }),
    rate: undefined,
    get stalled() {
      return stalled
    },
    set stalled(value) {
      stalled = value
    },
    get away() {
      return away
    },
    set away(value) {
      away = value
      if (away) for (const pair of [...pairs]) end(pair)
    },
    passed: () => passed,
    connections: () => connections,
    cutAt: (offsets) => {
      cutsLeft = offsets.map((offset) => passed + offset).sort((a, b) => a - b)
    },
    cuts: () => cuts,
    close: async () => {
      for (const pair of [...pairs]) end(pair)
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
  return proxy
}

function serverOf(path: string): string {
  const match = /server: "?(https:\/\/[^\s"},]+)/.exec(readFileSync(path, 'utf8'))
  if (!match?.[1]) throw new Error(`${path} names no server`)
  return match[1]
}
