import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.TimeUnit;

import org.eclipse.leshan.client.LeshanClient;
import org.eclipse.leshan.client.object.Server;
import org.eclipse.leshan.client.servers.LwM2mServer;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.request.BindingMode;
import org.eclipse.leshan.core.request.argument.Arguments;
import org.eclipse.leshan.core.response.ExecuteResponse;
import org.eclipse.leshan.core.response.ReadResponse;
import org.eclipse.leshan.core.response.WriteResponse;

/** Leshan's Server object with the resources that it lacks: Disable, Disable Timeout and Mute Send. */
final class DisablingServer extends Server {
    private static final int DISABLE = 4;
    private static final int DISABLE_TIMEOUT = 5;
    private static final int MUTE_SEND = 23;

    private long disableTimeout = 86_400;
    private boolean muted;

    DisablingServer(int shortServerId, long lifetime, BindingMode binding) {
        super(shortServerId, lifetime, EnumSet.of(binding), false, binding);
    }

    boolean isMuted() {
        return muted;
    }

    @Override
    public ReadResponse read(LwM2mServer server, int resourceId) {
        return switch (resourceId) {
        case DISABLE_TIMEOUT -> ReadResponse.success(DISABLE_TIMEOUT, disableTimeout);
        case MUTE_SEND -> ReadResponse.success(MUTE_SEND, muted);
        default -> super.read(server, resourceId);
        };
    }

    @Override
    public WriteResponse write(LwM2mServer server, boolean replace, int resourceId, LwM2mResource value) {
        LeshanDevice.say("WRITE /1/" + getId() + "/" + resourceId + " " + value.getValue());
        switch (resourceId) {
        case DISABLE_TIMEOUT -> disableTimeout = (Long) value.getValue();
        case MUTE_SEND -> muted = (Boolean) value.getValue();
        default -> {
            return super.write(server, replace, resourceId, value);
        }
        }
        fireResourceChange(resourceId);
        return WriteResponse.success();
    }

    /** Disable: the device de-registers, and registers again after the timeout. */
    @Override
    public ExecuteResponse execute(LwM2mServer server, int resourceId, Arguments arguments) {
        LeshanDevice.say("EXECUTE /1/" + getId() + "/" + resourceId);
        if (resourceId != DISABLE) {
            return super.execute(server, resourceId, arguments);
        }
        LeshanClient client = (LeshanClient) getLwM2mClient();
        DeviceObjects.LATER.schedule(() -> {
            client.stop(true);
            DeviceObjects.LATER.schedule(client::start, disableTimeout, TimeUnit.SECONDS);
        }, 300, TimeUnit.MILLISECONDS);
        return ExecuteResponse.success();
    }

    @Override
    public List<Integer> getAvailableResourceIds(ObjectModel model) {
        List<Integer> ids = new ArrayList<>(super.getAvailableResourceIds(model));
        for (int added : List.of(DISABLE, DISABLE_TIMEOUT, MUTE_SEND)) {
            if (!ids.contains(added) && model.resources.containsKey(added)) {
                ids.add(added);
            }
        }
        return ids;
    }
}
