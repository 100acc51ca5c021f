// SPDX-License-Identifier: GPL-2.0-or-later
// java Peer server|client PORT KEY=VALUE...: the JDK's JSSE as a peer. A server
// echoes; a client says hello, once or (resume=1) twice with a session.
// Key and trust come as PKCS#12 (identity=, trust=, password "secret").
import java.io.FileInputStream;
import java.io.InputStream;
import java.net.InetAddress;
import java.security.KeyStore;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.*;

public class Peer {
	static final char[] PASSWORD = "secret".toCharArray();
	static Map<String, String> o = new HashMap<>();

	static KeyStore store(String path) throws Exception {
		KeyStore k = KeyStore.getInstance("PKCS12");
		try (InputStream in = new FileInputStream(path)) {
			k.load(in, PASSWORD);
		}
		return k;
	}

	static SSLContext context() throws Exception {
		KeyManager[] keys = null;
		TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
		SSLContext c = SSLContext.getInstance("TLS");

		if (o.containsKey("identity")) {
			KeyManagerFactory f = KeyManagerFactory.getInstance("PKIX");
			f.init(store(o.get("identity")), PASSWORD);
			keys = f.getKeyManagers();
		}
		trust.init(store(o.get("trust")));
		c.init(keys, trust.getTrustManagers(), null);
		return c;
	}

	static String[] version() {
		return new String[] { "1.2".equals(o.get("version")) ? "TLSv1.2" : "TLSv1.3" };
	}

	static void echo(SSLSocket s) {
		byte[] buf = new byte[16384];

		try (s) {
			for (int n; (n = s.getInputStream().read(buf)) > 0; )
				s.getOutputStream().write(buf, 0, n);
		} catch (Exception e) {
			System.out.println(e);
		}
	}

	static void serve(SSLContext c, int port) throws Exception {
		SSLServerSocket l = (SSLServerSocket) c.getServerSocketFactory()
			.createServerSocket(port, 16, InetAddress.getLoopbackAddress());

		l.setEnabledProtocols(version());
		if (o.containsKey("suite"))
			l.setEnabledCipherSuites(new String[] { o.get("suite") });
		l.setNeedClientAuth("1".equals(o.get("auth")));
		while (true) {
			SSLSocket s = (SSLSocket) l.accept();
			new Thread(() -> echo(s)).start();
		}
	}

	static void connect(SSLContext c, int port) throws Exception {
		try (SSLSocket s = (SSLSocket) c.getSocketFactory().createSocket("127.0.0.1", port)) {
			SSLParameters p = s.getSSLParameters();

			p.setServerNames(List.of(new SNIHostName("server.test")));
			p.setProtocols(version());
			if (o.containsKey("suite"))
				p.setCipherSuites(new String[] { o.get("suite") });
			s.setSSLParameters(p);
			s.getOutputStream().write("hello\n".getBytes());
			byte[] answer = s.getInputStream().readNBytes(6);
			System.out.println(new String(answer).strip() + " " + s.getSession().getCipherSuite());
		}
	}

	public static void main(String[] args) throws Exception {
		int port = Integer.parseInt(args[1]);

		for (int i = 2; i < args.length; i++)
			o.put(args[i].split("=", 2)[0], args[i].split("=", 2)[1]);
		if (o.containsKey("group"))
			System.setProperty("jdk.tls.namedGroups", o.get("group"));
		SSLContext c = context();
		if (args[0].equals("server"))
			serve(c, port);
		connect(c, port);
		if ("1".equals(o.get("resume")))
			connect(c, port);
	}
}
