import type { Endpoint } from '../decoded-packet.ts'
import { type ConnectionFindingId, type Evidence, type FindingGroup, maxEvidenceCount } from './finding.ts'
import { addBackend } from '../application/occurrences.ts'
import { endpointText } from './wording.ts'

/** Servers with findings, by kind of finding. */
const maxGroupsCount = 500

/** One connection that shows something. The evidence is made only where it is kept. */
export interface GroupedConnection {
  readonly id: ConnectionFindingId
  readonly server: Endpoint
  /** the pod behind the server's address, where that is known */
  readonly backend: Endpoint | undefined
  readonly facts: Readonly<Record<string, number | string>>
  readonly evidence: () => Evidence
}

/** Connections that show the same, by server. Bounded. */
export class FindingGroups {
  readonly #groups = new Map<string, FindingGroup>()
  /** connections that were not kept, because too many servers show something */
  dropped = 0

  add({ id, server, backend, facts, evidence }: GroupedConnection): void {
    const group = this.#get(id, server)
    if (group === undefined) return
    group.count += 1
    addBackend(group.backends, backend)
    if (group.evidence.length < maxEvidenceCount) group.evidence.push(evidence())
    addFacts(group, facts)
  }

  all(): FindingGroup[] {
    return [...this.#groups.values()]
  }

  /** Adds the connections of other groups. */
  addAll(others: FindingGroups): void {
    for (const other of others.all()) {
      const group = this.#get(other.id, other.server)
      if (group === undefined) continue
      group.count += other.count
      for (const backend of other.backends) group.backends.add(backend)
      group.evidence.push(...other.evidence.slice(0, maxEvidenceCount - group.evidence.length))
      addFacts(group, other.facts)
    }
  }

  #get(id: ConnectionFindingId, server: Endpoint): FindingGroup | undefined {
    const key = `${id} ${endpointText(server)}`
    let group = this.#groups.get(key)
    if (group !== undefined) return group
    if (this.#groups.size >= maxGroupsCount) {
      this.dropped += 1
      return undefined
    }
    group = { id, server, count: 0, evidence: [], backends: new Set(), facts: {} }
    this.#groups.set(key, group)
    return group
  }
}

/** Of numbers the largest is kept, of texts the first. */
function addFacts(group: FindingGroup, facts: Readonly<Record<string, number | string>>): void {
  for (const [name, value] of Object.entries(facts)) {
    const known = group.facts[name]
    group.facts[name] =
      typeof value === 'number' && typeof known === 'number' ? Math.max(value, known) : (known ?? value)
  }
}
