import AsyncStorage from '@react-native-async-storage/async-storage';
import NetInfo from '@react-native-community/netinfo';
import { AppState } from 'react-native';
import { createOutbox } from 'taskbridge/client/outbox';
import { asyncStorageCheckpoints, asyncStorageOutbox, createTaskBridgeClient, reactNativeGate } from 'taskbridge/react-native';
import { session } from 'your-app/session';

const gate = reactNativeGate({ netInfo: NetInfo, appState: AppState, requireValidated: true });
export const client = createTaskBridgeClient({
  baseUrl: 'https://example.org',
  auth: ({ forceRefresh }) => session.token(forceRefresh),
  checkpoints: asyncStorageCheckpoints(AsyncStorage),
  checkpointNamespace: session.userId,
  gate,
});
export const outbox = createOutbox(client, { store: asyncStorageOutbox(AsyncStorage, { name: session.userId }), gate });
