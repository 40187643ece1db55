/** One end of a channel. */
export interface Channel {
  /** Sends a structured-cloneable message to all other ends, in order. */
  post(message: unknown): void;
  close(): void;
}

/** Channels between the tabs of one origin, or the parts of one process. */
export interface ChannelPort {
  /** Opens one end of the channel of this name. An end hears what all others post, and not what it posts itself. */
  open(name: string, onMessage: (message: unknown) => void): Channel;
}

/** The platform's `BroadcastChannel`; undefined where there is none (React Native). In Node an open end keeps no process alive. */
export function platformChannels(): ChannelPort | undefined {
  const { BroadcastChannel: Constructor } = globalThis as { BroadcastChannel?: typeof BroadcastChannel };
  if (!Constructor) return undefined;
  return {
    open(name, onMessage) {
      const channel = new Constructor(name);
      channel.onmessage = ({ data }: MessageEvent<unknown>) => onMessage(data);
      // Node only.
      (channel as { unref?: () => void }).unref?.();
      return {
        post: (message) => channel.postMessage(message),
        close() {
          channel.onmessage = null;
          channel.close();
        },
      };
    },
  };
}
