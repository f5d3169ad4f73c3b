/** Work done again and again; a run that throws is logged and tried again at the next run. */
export interface PeriodicTask {
  readonly name: string;
  readonly everyMs: number;
  run(signal: AbortSignal): Promise<void>;
}
