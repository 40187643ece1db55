import { useState, type ReactElement } from 'react';
import { ThemeChoice } from '../../web/page/theme.tsx';
import { Chat } from './chat.tsx';

/** The page: a conversation, and what can be done to it. */
export function App(): ReactElement {
  return (
    <>
      <header className="bar">
        <a className="brand" href="/">
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M2 16h20M5 16v-2a7 7 0 0 1 14 0v2M12 7v9M8 8.5V16M16 8.5V16" />
          </svg>
          Agent
        </a>
        <CopyLink />
        <a className="button plain" href="/">
          New chat
        </a>
        <ThemeChoice />
      </header>
      <Chat />
    </>
  );
}

/** The address is all that another device needs. */
function CopyLink(): ReactElement {
  const [isCopied, setIsCopied] = useState(false);
  return (
    <button
      className="plain"
      onClick={() => void navigator.clipboard.writeText(location.href).then(() => setIsCopied(true))}
      onBlur={() => setIsCopied(false)}
    >
      <span role="status">{isCopied ? 'Copied' : 'Copy link'}</span>
    </button>
  );
}
