import { useState, type FormEvent, type ReactElement } from 'react';
import { useDemo } from '../demo.tsx';

/** Says under which name this browser is signed in, and takes another. */
export function SignIn(): ReactElement {
  const { session } = useDemo();

  const [name, setName] = useState(session.name);

  function signIn(event: FormEvent): void {
    event.preventDefault();
    session.signIn(name);
  }

  return (
    <form className="sign-in" onSubmit={signIn}>
      <label>
        Signed in as
        <input
          type="text"
          required
          maxLength={32}
          pattern="[\w\-]+"
          value={name}
          onChange={({ target }) => setName(target.value)}
          autoComplete="username"
        />
      </label>
      <button>Change</button>
      <p className="quiet">Sign in under the same name on another device, and the same reports are there.</p>
    </form>
  );
}
