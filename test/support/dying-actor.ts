/** An actor that starts well and dies a moment later, every time. */
export default class DyingActor {
  initialize(): void {}

  start(): void {
    setTimeout(() => {
      throw new Error('dies every time');
    }, 5);
  }
}
