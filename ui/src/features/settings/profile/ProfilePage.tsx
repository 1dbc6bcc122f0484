import { useQuery } from "@tanstack/react-query";
import { accountQuery } from "../../../api/queries";
import { Card } from "../../../components/Card";
import { Skeleton } from "../../../components/Skeleton";
import { SignedIn } from "../About";
import { Sessions } from "../Sessions";
import { SettingsFrame } from "../SettingsFrame";
import { PasswordForm } from "./PasswordForm";

/** Who one is, one's password, and where one is signed in. */
export default function ProfilePage() {
  const account = useQuery(accountQuery).data;
  return (
    <SettingsFrame title="You" subtitle="Your account, its password, and where you are signed in">
      <Card title="Account" padded>
        <SignedIn />
      </Card>
      <Card title="Password" padded>
        {!account ? <Skeleton height={120} /> : <Password {...account} />}
      </Card>
      {account?.auth !== "none" && (
        <Card title="Where you are signed in" padded>
          <Sessions />
        </Card>
      )}
    </SettingsFrame>
  );
}

function Password({ user, auth, has_password }: { user: string; auth: string; has_password?: boolean }) {
  if (has_password) return <PasswordForm user={user} />;
  if (auth === "none") return <p>This server asks nobody to sign in, so that there is no password.</p>;
  if (user === "admin") {
    return (
      <p>
        This is the server's own account. It has no password: whoever has the file admin-token of the data folder is it.
      </p>
    );
  }
  return <p>You sign in elsewhere: there is no password of yours here.</p>;
}
