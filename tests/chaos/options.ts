/** What a chaos run is asked for, and what it tells on its way. */

/** What a run is to do. */
export interface ChaosOptions {
  readonly pullRequests: number;
  readonly faults: number;
  readonly seed: number;
  readonly broker: "rabbitmq" | "embedded";
  /** Makes only faults whose name holds this text, where given. */
  readonly only?: string | undefined;
  /** Goes on with ever more work and faults for that long, where given. */
  readonly minutes?: number | undefined;
  /** Seconds without any progress after which what is not right is taken for lost; 600 when absent. */
  readonly timeoutSeconds?: number;
  /** Leaves the folder with logs and configuration where it is. */
  readonly keep?: boolean | undefined;
  /** Told of each fault and, every second or so, how far things are. */
  readonly onEvent?: (event: ChaosEvent) => void;
}

/** What is told while a run goes on. */
export type ChaosEvent =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "fault"; readonly name: string; readonly what: string }
  | { readonly kind: "progress"; readonly line: string };
