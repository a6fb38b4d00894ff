import { DnsMessage, readDnsMessage } from '../../../../src/analysis/application/dns-message.ts'
import { DnsTracker } from '../../../../src/analysis/application/dns-tracker.ts'
import type { DnsContext } from '../../../../src/analysis/application/dns-transaction.ts'
import { client, RecordedConnection, server } from './recorded-stream.ts'

interface Fields {
  id?: number
  type?: number
  rcode?: number
  isResponse?: boolean
}

function message(name: string, { id = 1, type = 1, rcode = 0, isResponse = false }: Fields = {}): Buffer {
  const labels = name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)])
  const header = Buffer.from([id >> 8, id & 255, isResponse ? 0x81 : 0x01, rcode, 0, 1, 0, 0, 0, 0, 0, 0])
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, type, 0, 1])])
}

/** Sends messages of one client to one server. */
class Wire {
  readonly tracker = new DnsTracker()
  #frameNumber = 0

  send(ms: number, bytes: Buffer, connection = 1): void {
    const parsed = new DnsMessage()
    readDnsMessage(parsed, bytes, 0, bytes.length)
    const context: DnsContext = {
      connection,
      transaction: parsed.id,
      timeNs: ms * 1e6,
      frameNumber: ++this.#frameNumber,
      server: '10.96.0.10',
      client: '10.244.1.10',
      isTcp: false,
    }
    this.tracker.onMessage(parsed, context)
  }

  ask(ms: number, name: string, fields: Fields = {}, connection = 1): void {
    this.send(ms, message(name, fields), connection)
    this.send(ms + 1, message(name, { ...fields, isResponse: true }), connection)
  }
}

describe('DNS transactions', () => {
  it('takes a query within 5 s for a repetition and a later one for a new query, as tshark does', () => {
    const wire = new Wire()
    for (const ms of [0, 4999, 10_000]) wire.send(ms, message('a.example'))
    wire.send(10_020, message('a.example', { isResponse: true }))
    wire.send(10_030, message('a.example', { isResponse: true }))
    wire.send(10_040, message('b.example', { id: 2, isResponse: true }))
    wire.tracker.finish()
    expect(wire.tracker.counters()).toMatchObject({
      queries: 3,
      responses: 3,
      retransmitted_queries: 1,
      unsolicited_responses: 1,
      unanswered: 1,
      time: { count: 1, max_ms: 20 },
      unanswered_names: [['a.example', 1]],
    })
  })

  it('follows a bounded number of transactions and counts those that it gave up', () => {
    const wire = new Wire()
    for (let count = 0; count < 50_010; count++) wire.send(0, message('a.example', { id: count % 65_536 }), count)
    expect(wire.tracker.evictedCount).toBe(50_000 / 16)
    wire.tracker.finish()
    expect(wire.tracker.counters()).toMatchObject({ unanswered: 50_010 })
  })

  it('keeps failures by server, with names and packets', () => {
    const wire = new Wire()
    wire.ask(0, 'broken.example', { rcode: 2 })
    wire.send(100, message('lost.example', { id: 9 }))
    wire.tracker.finish()
    const [found] = wire.tracker.servers.all()
    expect(found?.failures.get('SERVFAIL')).toMatchObject({ count: 1, frames: [2] })
    expect(found?.unanswered).toMatchObject({ count: 1, frames: [3] })
  })
})

describe('Search lists', () => {
  it('counts what a name costs that is tried with each suffix first', () => {
    const wire = new Wire()
    let ms = 0
    for (const suffix of ['.shop.svc.cluster.local', '.svc.cluster.local', '.cluster.local']) {
      for (const type of [1, 28]) wire.ask((ms += 2), `api.example.com${suffix}`, { type, rcode: 3 }, type)
    }
    for (const type of [1, 28]) wire.ask((ms += 2), 'api.example.com', { type }, type)
    expect(wire.tracker.search.top(5)).toMatchObject([{ base: 'api.example.com', wastedCount: 6, answeredCount: 2 }])
    expect(wire.tracker.search.amplification()).toBe(4)
  })

  it('does not take a name that does not exist for one of a search list', () => {
    const wire = new Wire()
    wire.ask(0, 'nosuch.example.com', { rcode: 3 })
    wire.ask(10, 'nosuch.example.org')
    wire.ask(20, 'www.example.com', { rcode: 3 })
    wire.ask(5000, 'www')
    expect(wire.tracker.search.wastedCount).toBe(0)
  })

  it('learns a suffix of the node once two names were tried with it', () => {
    const wire = new Wire()
    wire.ask(0, 'one.eu.internal', { rcode: 3 })
    wire.ask(10, 'one')
    expect(wire.tracker.search.wastedCount).toBe(0)
    wire.ask(20, 'two.eu.internal', { rcode: 3 })
    wire.ask(30, 'two')
    expect(wire.tracker.search.wastedCount).toBe(2)
  })
})

describe('The race of two queries from one socket', () => {
  function race(resentAfterMs: number, isSecondAnswered: boolean): number {
    const wire = new Wire()
    wire.send(0, message('db.example', { id: 1 }))
    wire.send(0.1, message('db.example', { id: 2, type: 28 }))
    wire.send(1, message('db.example', { id: 1, isResponse: true }))
    if (isSecondAnswered) wire.send(1, message('db.example', { id: 2, type: 28, isResponse: true }))
    wire.send(resentAfterMs, message('db.example', { id: 1 }))
    wire.send(resentAfterMs + 1, message('db.example', { id: 2, type: 28 }))
    return wire.tracker.race.count
  }

  it('is found where one answer is missing and both are asked again after 5 s', () => {
    expect(race(5005, false)).toBe(1)
    expect(race(5005, true)).toBe(0)
    expect(race(2000, false)).toBe(0)
  })
})

describe('DNS messages', () => {
  it('reads names with pointers and ends where they loop', () => {
    const loop = Buffer.concat([message('x').subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])])
    const parsed = new DnsMessage()
    expect(readDnsMessage(parsed, loop, 0, loop.length)).toBe(true)
    expect(parsed).toMatchObject({ name: '?', isComplete: false })
    const pointer = Buffer.concat([
      message('x').subarray(0, 12),
      Buffer.from([1, 0x61, 0xc0, 18, 0, 1, 3, 0x62, 0x63, 0x64, 0]),
    ])
    readDnsMessage(parsed, pointer, 0, pointer.length)
    expect(parsed.name).toBe('a.bcd')
  })

  it.each([1, 2, 5, 1000])('are read from TCP in segments of %d bytes', (maxSegmentBytes) => {
    const connection = new RecordedConnection(53)
    const framed = [message('a.example'), message('b.example', { id: 2 })].flatMap((bytes) => [
      Buffer.from([0, bytes.length]),
      bytes,
    ])
    connection.play([{ direction: client, bytes: Buffer.concat(framed) }], maxSegmentBytes)
    connection.play([{ direction: server, bytes: Buffer.from([0, 3, 1]) }], maxSegmentBytes)
    connection.conversation.finish('fin', 0)
    expect(connection.dnsMessages).toEqual([framed[1], framed[3]])
    expect(connection.budget.heldBytes).toBe(0)
  })
})
