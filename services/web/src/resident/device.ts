// What the app keeps on the device: one small table in IndexedDB, which the page and the service worker share.
// Where a browser keeps nothing (some private windows), memory stands in until the page is closed.

const NAME = 'fenghuo';
const TABLE = 'kept';

let opened: Promise<IDBDatabase> | undefined;
const memory = new Map<string, unknown>();

function database(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(TABLE);
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error ?? new Error('no database on this device'));
  });
  return opened;
}

async function within<T>(mode: IDBTransactionMode, work: (table: IDBObjectStore, done: (value: T) => void) => void): Promise<T> {
  const transaction = (await database()).transaction(TABLE, mode);
  return new Promise((resolve, reject) => {
    let result: T;
    work(transaction.objectStore(TABLE), (value) => (result = value));
    transaction.oncomplete = () => resolve(result);
    transaction.onabort = transaction.onerror = () => reject(transaction.error ?? new Error('the device kept nothing'));
  });
}

/** What is kept under this name. */
export async function kept<T>(name: string): Promise<T | undefined> {
  try {
    return await within<T | undefined>('readonly', (table, done) => {
      const asked = table.get(name);
      asked.onsuccess = () => done(asked.result as T | undefined);
    });
  } catch {
    return memory.get(name) as T | undefined;
  }
}

/** Keeps this. */
export async function keep(name: string, value: unknown): Promise<void> {
  try {
    await within<void>('readwrite', (table) => void table.put(value, name));
  } catch {
    memory.set(name, value);
  }
}

/** Changes what is kept, in one step that no other window comes between. */
export async function change<T>(name: string, how: (before: T | undefined) => T): Promise<T> {
  try {
    return await within<T>('readwrite', (table, done) => {
      const asked = table.get(name);
      asked.onsuccess = () => {
        const after = how(asked.result as T | undefined);
        table.put(after, name);
        done(after);
      };
    });
  } catch {
    const after = how(memory.get(name) as T | undefined);
    memory.set(name, after);
    return after;
  }
}

/** Forgets everything of this person, and keeps this instead, in one step. */
export async function forgetAll(instead: Readonly<Record<string, unknown>> = {}): Promise<void> {
  memory.clear();
  try {
    await within<void>('readwrite', (table) => {
      table.clear();
      for (const [name, value] of Object.entries(instead)) table.put(value, name);
    });
  } catch {
    for (const [name, value] of Object.entries(instead)) memory.set(name, value);
  }
}
