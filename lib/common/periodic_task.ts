/** Work that is repeated; a failed run is logged and tried again at the next turn. */
export interface PeriodicTask {
  readonly name: string;
  readonly everyMs: number;
  run(signal: AbortSignal): Promise<void>;
}
