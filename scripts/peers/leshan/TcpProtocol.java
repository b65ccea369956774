import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.core.network.CoapEndpoint;
import org.eclipse.californium.elements.Connector;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.elements.config.Configuration.ModuleDefinitionsProvider;
import org.eclipse.californium.elements.config.SystemConfig;
import org.eclipse.californium.elements.config.TcpConfig;
import org.eclipse.californium.elements.tcp.netty.TcpClientConnector;
import org.eclipse.californium.elements.tcp.netty.TlsClientConnector;
import org.eclipse.leshan.client.endpoint.ClientEndpointToolbox;
import org.eclipse.leshan.client.servers.ServerInfo;
import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.transport.californium.client.endpoint.CaliforniumClientEndpointFactory;
import org.eclipse.leshan.transport.californium.client.endpoint.coap.CoapClientEndpointFactory;
import org.eclipse.leshan.transport.californium.client.endpoint.coap.CoapClientProtocolProvider;
import org.eclipse.leshan.transport.californium.client.endpoint.coaps.CoapsClientEndpointFactory;
import org.eclipse.leshan.transport.californium.identity.IdentityHandler;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;

/**
 * CoAP over TCP and, with X.509, over TLS for Leshan's client. It uses Californium's connectors and message layer for
 * streams, and adds the Capabilities and Settings Message, which they lack.
 */
final class TcpProtocol extends CoapClientProtocolProvider {
    private final Protocol protocol;

    TcpProtocol(Protocol protocol) {
        this.protocol = protocol;
    }

    @Override
    public Protocol getProtocol() {
        return protocol;
    }

    @Override
    public List<ModuleDefinitionsProvider> getModuleDefinitionsProviders() {
        return List.of(SystemConfig.DEFINITIONS, CoapConfig.DEFINITIONS, TcpConfig.DEFINITIONS);
    }

    @Override
    public void applyDefaultValue(Configuration coap) {
        super.applyDefaultValue(coap);
        coap.set(TcpConfig.TCP_WORKER_THREADS, 1);
        // RFC 8323 §6: at most one block per message, unless the server's CSM allows more. Californium does not read it.
        coap.set(CoapConfig.TCP_NUMBER_OF_BULK_BLOCKS, 1);
        // The server's certificate is known in advance, so its host name is not checked.
        coap.set(TcpConfig.TLS_VERIFY_SERVER_CERTIFICATES_SUBJECT, false);
    }

    @Override
    public CaliforniumClientEndpointFactory createDefaultEndpointFactory() {
        return new EndpointFactory(protocol);
    }

    private static final class EndpointFactory extends CoapClientEndpointFactory {
        private final Protocol protocol;

        EndpointFactory(Protocol protocol) {
            this.protocol = protocol;
        }

        @Override
        public Protocol getProtocol() {
            return protocol;
        }

        @Override
        public String getEndpointDescription() {
            return "CoAP over TCP or TLS on Californium's netty connectors";
        }

        @Override
        public CoapEndpoint createCoapEndpoint(InetAddress address, Configuration coap, ServerInfo server,
                boolean clientInitiatedOnly, List<Certificate> trustStore, ClientEndpointToolbox toolbox) {
            return new CoapEndpoint.Builder().setConfiguration(coap).setConnector(connector(coap, server))
                    .setLoggingTag(getLoggingTag(
                            toolbox.getUriHandler().createUri(protocol.getUriScheme(), new InetSocketAddress(address, 0))))
                    .build();
        }

        @Override
        public IdentityHandler createIdentityHandler() {
            return isSecure() ? new CoapsClientEndpointFactory().createIdentityHandler() : super.createIdentityHandler();
        }

        private boolean isSecure() {
            return protocol.equals(Protocol.COAPS_TCP);
        }

        private Connector connector(Configuration coap, ServerInfo server) {
            if (isSecure()) {
                return new TlsClientConnector(tls(server), coap) {
                    @Override
                    protected void onNewChannelCreated(SocketAddress remote, Channel channel) {
                        super.onNewChannelCreated(remote, channel);
                        channel.pipeline().addLast(new Introduction());
                    }
                };
            }
            return new TcpClientConnector(coap) {
                @Override
                protected void onNewChannelCreated(SocketAddress remote, Channel channel) {
                    channel.pipeline().addLast(new Introduction());
                }
            };
        }
    }

    /** RFC 8323 §5.3: the first message is an empty Capabilities and Settings Message. */
    private static final class Introduction extends ChannelOutboundHandlerAdapter {
        private static final byte[] CAPABILITIES_AND_SETTINGS = { 0x00, (byte) 0xe1 };
        private boolean introduced;

        @Override
        public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
            if (!introduced) {
                introduced = true;
                context.write(Unpooled.wrappedBuffer(CAPABILITIES_AND_SETTINGS));
            }
            context.write(message, promise);
        }
    }

    private static SSLContext tls(ServerInfo server) {
        try {
            char[] none = new char[0];
            KeyStore own = KeyStore.getInstance("PKCS12");
            own.load(null, none);
            own.setKeyEntry("device", server.privateKey, none, server.clientCertificates);
            KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
            keys.init(own, none);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), new TrustManager[] { new Known(server.serverCertificate) }, null);
            return context;
        } catch (GeneralSecurityException | java.io.IOException error) {
            throw new IllegalStateException(error);
        }
    }

    /** Certificate Usage 3: the server must have exactly this certificate. */
    private record Known(Certificate expected) implements X509TrustManager {
        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
            if (!chain[0].equals(expected)) {
                throw new CertificateException("another certificate than the Security object has");
            }
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
            throw new CertificateException("no client here");
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
