/** Which processes of this machine a run of the tests has started, and no others. */

/** A process as `/proc` shows it. */
export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  /** Clock ticks since the machine's start: a process id is used again, this is not. */
  readonly started: string;
}

/** Milliseconds between two looks. */
const EVERY_MS = 200;

/**
 * Watches the processes that descend from one, or have a mark in their environment. A daemon has left its
 * parent and may have an environment of its own: so descendants are noted while they run, and whoever is
 * in a session that one of them began belongs to them. Linux alone.
 */
export class Descendants implements Disposable {
  readonly #root: number;
  readonly #mark: string;
  readonly #processes: () => Process[];
  readonly #known = new Set<string>();
  readonly #sessions = new Set<number>();
  readonly #timer: ReturnType<typeof setInterval>;

  /** `mark` is `NAME=value`, as a process's environment has it. */
  constructor(root: number, mark: string, processes = all) {
    this.#root = root;
    this.#mark = mark;
    this.#processes = processes;
    this.#look();
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
  }

  /** Those that run now, with their command lines. The root is none of them. */
  running(): Map<number, string> {
    const found = new Map<number, string>();
    for (const { pid } of this.#look()) {
      const command = read(pid, "cmdline")?.replaceAll("\0", " ").trim();
      // A process that has ended and was not waited for has no command line.
      if (command) found.set(pid, command.slice(0, 160));
    }
    return found;
  }

  #look(): Process[] {
    const processes = this.#processes();
    // The number of a session whose last process has ended is given to somebody else's.
    const sessions = new Set(processes.map(({ session }) => session));
    for (const session of this.#sessions) {
      if (!sessions.has(session)) this.#sessions.delete(session);
    }
    const byPid = new Map(processes.map((process) => [process.pid, process]));
    const ours = processes.filter((process) => this.#isOurs(process, byPid));
    for (const { pid, session } of ours) if (session === pid) this.#sessions.add(session);
    return ours;
  }

  #isOurs(process: Process, byPid: ReadonlyMap<number, Process>): boolean {
    const key = keyOf(process);
    if (process.pid === this.#root) return false;
    if (this.#known.has(key)) return true;
    // Looked at each time: between fork and exec a process has its parent's environment.
    const ours = this.#descends(process, byPid) || this.#sessions.has(process.session) ||
      (read(process.pid, "environ") ?? "").includes(this.#mark);
    if (ours) this.#known.add(key);
    return ours;
  }

  #descends(process: Process, byPid: ReadonlyMap<number, Process>): boolean {
    for (let at = byPid.get(process.parent); at !== undefined; at = byPid.get(at.parent)) {
      if (at.pid === this.#root || this.#known.has(keyOf(at))) return true;
    }
    return false;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function keyOf({ pid, started }: Process): string {
  return `${pid} ${started}`;
}

function all(): Process[] {
  return [...Deno.readDirSync("/proc")].flatMap(({ name }) => {
    if (!/^\d+$/.test(name)) return [];
    const stat = read(Number(name), "stat");
    if (stat === undefined) return [];
    // The command's name, in parentheses, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [, parent, , session] = fields;
    return [{
      pid: Number(name),
      parent: Number(parent),
      session: Number(session),
      started: fields[19]!,
    }];
  });
}

/** A file of a process; undefined where it has ended, or is somebody else's. */
function read(pid: number, file: string): string | undefined {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/${file}`);
  } catch {
    return undefined;
  }
}
