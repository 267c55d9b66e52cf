/** An actor whose thread dies before comedy has answered for it. */
export default class EarlyDeathActor {
  initialize(): Promise<never> {
    setTimeout(() => {
      throw new Error('died early');
    }, 1);
    return new Promise(() => {});
  }
}
