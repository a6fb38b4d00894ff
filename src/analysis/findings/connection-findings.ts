import type { PacketTracker } from '../decoded-packet.ts'
import { ipProtocol } from '../decoded-packet.ts'
import type { ConnectionTracker } from '../flows/connection-tracker.ts'
import { directionWord, directionWords, double, flowBit, flowDoubles, flowWords, word } from '../flows/layout.ts'
import { describeGroup, describeLate, describeResent } from './describe.ts'
import { FindingGroups } from './finding-groups.ts'
import { WorstConnections } from './worst-connections.ts'
import type { WithheldFinding, WithheldReason } from './withheld.ts'
import type { ConnectionFindingId, Evidence, Finding, FindingGroup } from './finding.ts'
import { counted, endpointText } from './wording.ts'

/** Without an answer for this long, an attempt has failed even if its SYN was sent once. */
const answerNs = 3e9
const stallNs = 200e6

/**
 * Findings of single TCP connections, found when a connection ends: not answered, refused, not accepted, half open, reset, resent data, stalled,
 * path MTU. A healthy connection costs a look at its bits.
 */
export class ConnectionFindings implements PacketTracker {
  readonly #connections: ConnectionTracker
  readonly #baseMs: () => number
  readonly #groups = new FindingGroups()
  /** connections whose answer is missing, without a repetition that proves it: they count where the capture holds both directions */
  readonly #unproven = new FindingGroups()
  /** connections of which the other direction was not captured, though it must have been there */
  readonly #oneSided = new FindingGroups()
  readonly #worstResent = new WorstConnections()
  readonly #worstLate = new WorstConnections()
  /** connections and UDP flows with packets in both directions, and in one */
  twoWay = 0
  oneWay = 0

  /** `baseMs`: ms since the epoch that the packets' times count from. */
  constructor(connections: ConnectionTracker, baseMs: () => number) {
    this.#connections = connections
    this.#baseMs = baseMs
  }

  onConnectionEnd(connection: number): void {
    const { words } = this.#connections.table
    const at = connection * flowWords
    this.#countDirections(connection)
    if ((words[at + word.protocol]! & 0xff) !== ipProtocol.tcp) return
    const bits = words[at + word.bits]!
    if ((bits & flowBit.hasSyn) !== 0 && (bits & flowBit.established) === 0) this.#judgeAttempt(connection, bits)
    this.#judgeReset(connection)
    for (let direction = 0; direction < 2; direction += 1) {
      this.#judgeStall(connection, direction)
      this.#judgeRepeat(connection, direction)
    }
    this.#noteSentAgain(connection)
  }

  /** connections with findings that were not kept */
  get dropped(): number {
    return this.#groups.dropped + this.#unproven.dropped + this.#oneSided.dropped
  }

  /** All findings, the worst first. The capture must have ended. */
  findings(): Finding[] {
    const groups = new FindingGroups()
    groups.addAll(this.#groups)
    if (this.#unprovenReason() === undefined) groups.addAll(this.#unproven)
    const found = this.#separateNotAccepted(groups.all()).map(describeGroup)
    const { resent, late, dataSegments } = this.#connections.tcp.resentData
    const sentAgain = [
      describeResent(this.#worstResent.all(), resent, dataSegments),
      describeLate(this.#worstLate.all(), late, dataSegments),
    ]
    found.push(...sentAgain.filter((finding) => finding !== undefined))
    const rank = { error: 0, warning: 1, notice: 2 }
    return found.toSorted((one, other) => rank[one.severity] - rank[other.severity] || other.count - one.count)
  }

  /** What this capture cannot carry. The capture must have ended. */
  withheld(): WithheldFinding[] {
    const reason = this.#unprovenReason()
    return [
      ...this.#oneSided.all().map((group) => withheldGroup(group, 'one-direction')),
      ...(reason === undefined ? [] : this.#unproven.all().map((group) => withheldGroup(group, reason))),
    ]
  }

  /** No segment but those that open connections: the filter of the capture left out the others. */
  get hasOnlyHandshakes(): boolean {
    const { segments, syn, synack } = this.#connections.tcp.totals
    return segments > 0 && segments === syn + synack
  }

  #unprovenReason(): WithheldReason | undefined {
    if (this.twoWay === 0) return 'one-direction'
    return this.hasOnlyHandshakes ? 'handshakes-only' : undefined
  }

  #countDirections(connection: number): void {
    const directions = this.#connections.seenDirections(connection)
    if (directions === 3) this.twoWay += 1
    else if (directions !== 0) this.oneWay += 1
  }

  #judgeAttempt(connection: number, bits: number): void {
    const { words, doubles } = this.#connections.table
    const syns = words[connection * flowWords + word.syns]!
    const waitedNs = this.#connections.nowNs - doubles[connection * flowDoubles + double.firstTime]!
    const waited_s = Math.round(waitedNs / 1e6) / 1e3
    if ((bits & flowBit.refused) !== 0) this.#add('connection-refused', connection, {})
    else if ((bits & flowBit.hasSynAck) !== 0) {
      const sinceNs = this.#connections.nowNs - doubles[connection * flowDoubles + double.synAckTime]!
      const isProven = (bits & flowBit.synAckRepeated) !== 0
      if ((bits & flowBit.hasRst) === 0 && (isProven || sinceNs >= answerNs))
        this.#add(
          'connection-half-open',
          connection,
          { waited_s },
          { groups: isProven ? this.#groups : this.#unproven },
        )
    } else if (
      (bits & (flowBit.icmpError | flowBit.serverAnswered | flowBit.hasRst)) === 0 &&
      (syns > 1 || waitedNs >= answerNs)
    ) {
      // A client that sent more than its SYN has got an answer. A SYN that is repeated has none, also where only one direction was captured.
      const packets =
        words[
          connection * flowWords +
            word.directions +
            directionWord.packets +
            this.#connections.clientDirection(connection) * directionWords
        ]!
      const groups = packets > syns ? this.#oneSided : syns > 1 ? this.#groups : this.#unproven
      this.#add('connection-no-answer', connection, { syns, waited_s }, { groups })
    }
  }

  #judgeReset(connection: number): void {
    const reset = this.#connections.tcp.evidence.resets.get(connection)
    if (reset === undefined) return
    const facts = { by: reset.resetClass.replace(/[:_]/g, ' '), idle_s: Math.round(reset.idleNs / 1e6) / 1e3 }
    const id = reset.idleNs > 0 ? 'connection-reset-after-idle' : 'connection-reset'
    // A FIN of the other side makes a reset harmless: it is not known where that side was not captured.
    const groups = this.#connections.seenDirections(connection) === 3 ? this.#groups : this.#oneSided
    this.#add(id, connection, facts, { groups, frames: [reset.frame] })
  }

  #judgeStall(connection: number, direction: number): void {
    const stall = this.#connections.tcp.evidence.stalls.get(connection * 2 + direction)
    if (stall === undefined) return
    const openNs = stall.openSinceNs < 0 ? 0 : this.#connections.facts(connection).lastTimeNs - stall.openSinceNs
    const stalledNs = stall.stalledNs + Math.max(0, openNs)
    if (stalledNs < stallNs) return
    const who = direction === this.#connections.clientDirection(connection) ? 'client' : 'server'
    this.#add(
      'receiver-stalled',
      connection,
      { who, stalled_s: Math.round(stalledNs / 1e6) / 1e3, stalls: stall.stalls },
      { frames: [stall.firstFrame] },
    )
  }

  /** The same data three times or more without an answer: the peer has vanished, or the segment is too large for the path. */
  #judgeRepeat(connection: number, direction: number): void {
    const { table, tcp } = this.#connections
    const repeat = tcp.evidence.repeats.get(connection * 2 + direction)
    if (repeat === undefined || repeat.count < 2 || repeat.lastTimeNs - repeat.firstTimeNs < 1e9) return
    const block = connection * flowWords + word.directions
    const acknowledged = table.words[block + (1 - direction) * directionWords + directionWord.lastAck]!
    if (((acknowledged - repeat.sequence) | 0) > 0) return
    const largest = table.words[block + direction * directionWords + directionWord.largestPayload]!
    const sacked = tcp.evidence.sacked.get(connection * 2 + direction)
    const isTailReceived = sacked !== undefined && ((sacked.end - repeat.sequence) | 0) > repeat.bytes
    const hasIcmpError = (table.words[connection * flowWords + word.bits]! & flowBit.icmpError) !== 0
    // At the sender's interface the largest may be several segments that its network card would part (GSO): no segment on the path has that size.
    const isLarge = repeat.bytes >= largest || (sacked !== undefined && sacked.smallestBytes < repeat.bytes)
    const isTooLarge = repeat.dontFragment && isTailReceived && isLarge && !hasIcmpError
    const facts = { bytes: repeat.bytes, sent: repeat.count + 1 }
    const groups = this.#connections.seenDirections(connection) === 3 ? this.#groups : this.#oneSided
    const id = isTooLarge ? 'path-mtu-black-hole' : 'peer-vanished'
    this.#add(id, connection, facts, { groups, frames: repeat.frames })
  }

  #noteSentAgain(connection: number): void {
    const { words } = this.#connections.table
    const at = connection * flowWords + word.directions + directionWord.resentSegments
    const evidence = (): Evidence => this.#evidence(connection)
    this.#worstResent.add(words[at]! + words[at + directionWords]!, evidence)
    this.#worstLate.add(this.#connections.tcp.resentData.lateSegments(connection), evidence)
  }

  #add(
    id: ConnectionFindingId,
    connection: number,
    facts: Record<string, number | string>,
    { groups = this.#groups, frames }: { groups?: FindingGroups; frames?: readonly number[] } = {},
  ): void {
    const { server, backend } = this.#connections.facts(connection)
    groups.add({ id, server, backend, facts, evidence: () => this.#evidence(connection, frames) })
  }

  #evidence(connection: number, frames?: readonly number[]): Evidence {
    const { client, server, backend, firstFrame, firstTimeNs, lastTimeNs } = this.#connections.facts(connection)
    const lastFrame = this.#connections.table.words[connection * flowWords + word.lastFrame]!
    const toMs = (timeNs: number): number => this.#baseMs() + Math.round(timeNs / 1e3) / 1e3
    return {
      client,
      server,
      backend,
      frames: frames ?? [...new Set([firstFrame, lastFrame])],
      firstMs: toMs(firstTimeNs),
      lastMs: toMs(lastTimeNs),
    }
  }

  /** No answer from a server that others reached: it listens, but does not accept. Of others, whether their address answers at all. */
  #separateNotAccepted(groups: readonly FindingGroup[]): FindingGroup[] {
    if (!groups.some(({ id }) => id === 'connection-no-answer')) return [...groups]
    const { servers, addresses } = this.#answering()
    return groups.map((group) => {
      if (group.id !== 'connection-no-answer') return group
      if (servers.has(endpointText(group.server))) return { ...group, id: 'connection-not-accepted' }
      const address_answers = addresses.has(group.server.address) ? 'yes' : 'no'
      return { ...group, facts: { ...group.facts, address_answers } }
    })
  }

  /** Servers to which a connection was opened, and addresses that sent anything. */
  #answering(): { servers: ReadonlySet<string>; addresses: ReadonlySet<string> } {
    const servers = new Set<string>()
    const addresses = new Set<string>()
    const { table } = this.#connections
    for (let flow = 0; flow < table.count; flow += 1) {
      if (this.#connections.seenDirections(flow) !== 3) continue
      const { server } = this.#connections.facts(flow)
      addresses.add(server.address)
      if ((table.words[flow * flowWords + word.bits]! & flowBit.established) !== 0) servers.add(endpointText(server))
    }
    return { servers, addresses }
  }
}

const withheldTexts: Partial<Record<WithheldReason, string>> = {
  'one-direction': 'only one direction was captured',
  'handshakes-only': 'only the packets that open connections were captured',
}

function withheldGroup({ id, server, count }: FindingGroup, reason: WithheldReason): WithheldFinding {
  const what = { 'connection-no-answer': 'no answer', 'connection-half-open': 'a handshake without an end' }
  const shown = Object.entries(what).find(([known]) => known === id)?.[1] ?? 'an end that looks like a failure'
  const text = `${counted(count, 'connection')} with ${endpointText(server)} ${count === 1 ? 'shows' : 'show'} ${shown}, but ${withheldTexts[reason] ?? reason}`
  return { id, count, reason, text }
}
