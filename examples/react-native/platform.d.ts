/** What an app brings: modules of React Native's world, as far as the pages of `docs/react-native.md` use them. */
declare module '@react-native-async-storage/async-storage' {
  import type { AsyncTextStorage } from 'taskbridge/react-native';
  const AsyncStorage: AsyncTextStorage;
  export default AsyncStorage;
}
declare module '@react-native-community/netinfo' {
  import type { NetInfoPort } from 'taskbridge/react-native';
  const NetInfo: NetInfoPort;
  export default NetInfo;
}
declare module 'react-native' {
  import type { AppStatePort } from 'taskbridge/react-native';
  export const AppState: AppStatePort;
}
declare module 'your-app/session' {
  /** Who is signed in. */
  export const session: { readonly userId: string; token(fresh: boolean): Promise<string> };
}
declare const __DEV__: boolean;
