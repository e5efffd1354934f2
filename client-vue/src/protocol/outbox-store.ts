import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import type { OutboxEntry, OutboxStore } from './outbox'

interface Schema extends DBSchema {
  outbox: { key: string; value: OutboxEntry }
}

class IndexedDbStore implements OutboxStore {
  readonly #db: IDBPDatabase<Schema>

  constructor(db: IDBPDatabase<Schema>) {
    this.#db = db
  }

  all(): Promise<OutboxEntry[]> {
    return this.#db.getAll('outbox')
  }

  async put(entry: OutboxEntry): Promise<void> {
    // Entries come out of reactive state: the structured clone refuses proxies, JSON does not.
    await this.#db.put('outbox', JSON.parse(JSON.stringify(entry)) as OutboxEntry)
  }

  async remove(key: string): Promise<void> {
    await this.#db.delete('outbox', key)
  }
}

/** For browsers that keep no storage (some private windows): it lasts as long as the page. */
export class MemoryStore implements OutboxStore {
  readonly #entries = new Map<string, OutboxEntry>()

  all(): Promise<OutboxEntry[]> {
    return Promise.resolve([...this.#entries.values()])
  }

  put(entry: OutboxEntry): Promise<void> {
    this.#entries.set(entry.key, entry)
    return Promise.resolve()
  }

  remove(key: string): Promise<void> {
    this.#entries.delete(key)
    return Promise.resolve()
  }
}

/** The outbox's storage: IndexedDB, or memory where there is none. */
export async function openOutboxStore(): Promise<OutboxStore> {
  try {
    const db = await openDB<Schema>('hubbub', 1, {
      upgrade(d) {
        d.createObjectStore('outbox', { keyPath: 'key' })
      },
    })
    return new IndexedDbStore(db)
  } catch {
    return new MemoryStore()
  }
}
