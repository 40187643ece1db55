/** What an app brings: modules of React Native's world, as far as the pages of `docs/react-native.md` use them. */
declare module '@react-native-async-storage/async-storage' {
  const AsyncStorage: import('taskbridge/react-native').AsyncTextStorage;
  export default AsyncStorage;
}
declare module '@react-native-community/netinfo' {
  const NetInfo: import('taskbridge/react-native').NetInfoPort;
  export default NetInfo;
}
declare module 'react-native' {
  export const AppState: import('taskbridge/react-native').AppStatePort;
}
declare module 'your-app/session' {
  /** Who is signed in. */
  export const session: { readonly userId: string; token(fresh: boolean): Promise<string> };
}
declare const __DEV__: boolean;
