/**
 * What operators set for the whole service while it runs, such as the share of a rollout: few short texts by name, which
 * every node holds in memory and is told of when one changes. What the texts mean is for the control layer.
 */

/** Texts that a service keeps. */
export const MAX_CONTROL_TEXTS = 256;

export interface ControlState {
  /**
   * All texts by name, as they are kept now.
   *
   * @throws {EngineUnavailableError}
   */
  read(): Promise<ReadonlyMap<string, string>>;
  /**
   * Resolves when the text is kept and every node that can hear it has been told; the last write of a name stands.
   *
   * @param text undefined to forget the name
   * @throws {EngineUnavailableError}
   * @throws {ControlStateFullError} a new name beyond `MAX_CONTROL_TEXTS`
   */
  write(name: string, text: string | undefined): Promise<void>;
  /**
   * Told when texts may have changed, here or at another node, and when the engine was away and has come back; whoever is
   * told reads.
   *
   * @returns stops that
   */
  onChange(listener: () => void): () => void;
}
