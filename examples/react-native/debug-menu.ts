import { transportSwitch } from 'taskbridge/client/testing';
import { createTaskBridgeClient } from 'taskbridge/react-native';

const debug = transportSwitch();
export const client = createTaskBridgeClient({ baseUrl: 'https://example.org', ...(__DEV__ && { intercept: debug.intercept }) });

debug.force('poll'); // long polls only, from now on
debug.fail('ws'); // all but WebSockets
debug.force(undefined); // all of them again; the client climbs back when it next tries
