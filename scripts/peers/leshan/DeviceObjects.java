import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

import org.eclipse.leshan.client.LeshanClient;
import org.eclipse.leshan.client.object.LwM2mTestObject;
import org.eclipse.leshan.client.resource.BaseInstanceEnablerFactory;
import org.eclipse.leshan.client.resource.ObjectEnabler;
import org.eclipse.leshan.client.resource.ObjectsInitializer;
import org.eclipse.leshan.client.resource.SimpleInstanceEnabler;
import org.eclipse.leshan.client.servers.LwM2mServer;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.model.ResourceModel.Operations;
import org.eclipse.leshan.core.model.ResourceModel.Type;
import org.eclipse.leshan.core.model.ResourceModel;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.node.LwM2mSingleResource;
import org.eclipse.leshan.core.request.argument.Arguments;
import org.eclipse.leshan.core.response.ExecuteResponse;
import org.eclipse.leshan.core.response.ObserveResponse;
import org.eclipse.leshan.core.response.ReadResponse;
import org.eclipse.leshan.core.response.WriteResponse;

/** What the device shows: Device, Temperature and the registry's test object, with values, and all that is asked said aloud. */
final class DeviceObjects {
    private static final int TEMPERATURE = 3303;
    private static final int TEST_OBJECT = 3442;
    private static final ScheduledExecutorService LATER = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "later");
        thread.setDaemon(true);
        return thread;
    });

    private DeviceObjects() {
    }

    static List<ObjectModel> models() {
        return List.of(temperatureModel(), testObjectModel());
    }

    static void instantiate(ObjectsInitializer objects) {
        objects.setInstancesForObject(3, new Device());
        objects.setFactoryForObject(3, (model, id, ids) -> of(model, new Device()));
        objects.setInstancesForObject(TEMPERATURE, new Sensor(0, 21.5));
        objects.setFactoryForObject(TEMPERATURE, (model, id, ids) -> of(model, new Sensor(
                id == null ? BaseInstanceEnablerFactory.generateNewInstanceId(ids) : id, 20.0)));
        objects.setInstancesForObject(TEST_OBJECT, new LwM2mTestObject());
    }

    private static Talker of(ObjectModel model, Talker instance) {
        instance.setModel(model);
        return instance;
    }

    /** Gives the sensor at this path another value; it notifies who observes it. */
    static void measure(LeshanClient client, LwM2mPath path, double value) {
        ObjectEnabler enabler = (ObjectEnabler) client.getObjectTree().getObjectEnabler(path.getObjectId());
        if (!(enabler.getInstance(path.getObjectInstanceId()) instanceof Sensor sensor)) {
            throw new IllegalArgumentException("no sensor at " + path);
        }
        sensor.measure(value);
        LeshanDevice.say("SET " + path + " " + value);
    }

    private static ResourceModel resource(int id, String name, Operations operations, boolean multiple, Type type) {
        return new ResourceModel(id, name, operations, multiple, false, type, "", "", "");
    }

    private static ObjectModel temperatureModel() {
        return new ObjectModel(TEMPERATURE, "Temperature", "", "1.1", true, false,
                resource(5700, "Sensor Value", Operations.R, false, Type.FLOAT),
                resource(5601, "Min Measured Value", Operations.R, false, Type.FLOAT),
                resource(5602, "Max Measured Value", Operations.R, false, Type.FLOAT),
                resource(5603, "Min Range Value", Operations.R, false, Type.FLOAT),
                resource(5604, "Max Range Value", Operations.R, false, Type.FLOAT),
                resource(5605, "Reset Min and Max Measured Values", Operations.E, false, Type.NONE),
                resource(5701, "Sensor Units", Operations.R, false, Type.STRING),
                resource(5750, "Application Type", Operations.RW, false, Type.STRING));
    }

    /** Object 3442 of the registry: a resource of every data type, once single and once multiple. */
    private static ObjectModel testObjectModel() {
        Map<Integer, Type> types = Map.of(110, Type.STRING, 120, Type.INTEGER, 125, Type.UNSIGNED_INTEGER, 130,
                Type.FLOAT, 140, Type.BOOLEAN, 150, Type.OPAQUE, 160, Type.TIME, 170, Type.OBJLNK, 180, Type.CORELINK);
        List<ResourceModel> resources = new ArrayList<>(List.of(
                resource(0, "Reset values", Operations.E, false, Type.NONE),
                resource(1, "Randomize values", Operations.E, false, Type.NONE),
                resource(2, "Clear values", Operations.E, false, Type.NONE),
                resource(3, "Exec With Arguments", Operations.E, false, Type.NONE),
                resource(4, "Arguments List", Operations.R, true, Type.STRING)));
        types.forEach((id, type) -> {
            resources.add(resource(id, type + " Value", Operations.RW, false, type));
            resources.add(resource(1000 + id, "Multiple " + type + " Value", Operations.RW, true, type));
        });
        return new ObjectModel(TEST_OBJECT, "LwM2M v1.1 Test Object", "", "1.0", true, false, resources);
    }

    /** Answers as SimpleInstanceEnabler does, and says what a server asked of it. */
    private static class Talker extends SimpleInstanceEnabler {
        private final int objectId;

        Talker(int objectId, int instanceId, Object... values) {
            super(instanceId, values);
            this.objectId = objectId;
        }

        private String path(int resourceId) {
            return "/" + objectId + "/" + getId() + "/" + resourceId;
        }

        @Override
        public ReadResponse read(LwM2mServer server, int resourceId) {
            if (!server.isSystem()) {
                LeshanDevice.say("READ " + path(resourceId));
            }
            return super.read(server, resourceId);
        }

        @Override
        public ObserveResponse observe(LwM2mServer server, int resourceId) {
            LeshanDevice.say("OBSERVE " + path(resourceId));
            return super.observe(server, resourceId);
        }

        @Override
        public WriteResponse write(LwM2mServer server, boolean replace, int resourceId, LwM2mResource value) {
            LeshanDevice.say("WRITE " + path(resourceId) + " " + (value.isMultiInstances() ? value.getInstances() : value.getValue()));
            return super.write(server, replace, resourceId, value);
        }

        @Override
        public ExecuteResponse execute(LwM2mServer server, int resourceId, Arguments arguments) {
            String given = arguments.isEmpty() ? "" : " " + arguments.serialize();
            LeshanDevice.say("EXECUTE " + path(resourceId) + given);
            return ExecuteResponse.success();
        }
    }

    private static final class Device extends Talker {
        private static final int REBOOT = 4;
        private static final int FACTORY_RESET = 5;

        Device() {
            super(3, 0, 0, "Eclipse", 1, "Leshan", 2, "LE-700-000", 3, "2.0.0", 9, 87L, 10, 15_000L, 11,
                    Map.of(0, 0L), 13, new Date(), 14, "+01:00", 15, "Europe/Berlin", 16, "U", 17, "demo", 18, "1.0",
                    19, "2.0.0-M18", 20, 0L, 21, 64_000L);
        }

        @Override
        public ExecuteResponse execute(LwM2mServer server, int resourceId, Arguments arguments) {
            ExecuteResponse response = super.execute(server, resourceId, arguments);
            if (resourceId == REBOOT || resourceId == FACTORY_RESET) {
                LeshanClient client = (LeshanClient) getLwM2mClient();
                LATER.schedule(() -> {
                    client.stop(false);
                    LeshanDevice.say("REBOOTED");
                    client.start();
                }, 300, TimeUnit.MILLISECONDS);
            }
            return response;
        }
    }

    private static final class Sensor extends Talker {
        private static final int MIN_MEASURED = 5601;
        private static final int MAX_MEASURED = 5602;
        private static final int RESET_MEASURED = 5605;
        private static final int VALUE = 5700;

        Sensor(int instanceId, double value) {
            super(TEMPERATURE, instanceId, MIN_MEASURED, value, MAX_MEASURED, value, 5603, -40.0, 5604, 85.0, VALUE,
                    value, 5701, "Cel", 5750, "room");
        }

        private double number(int resourceId) {
            return (Double) resources.get(resourceId).getValue();
        }

        void measure(double value) {
            resources.put(VALUE, LwM2mSingleResource.newFloatResource(VALUE, value));
            fireResourceChange(VALUE);
            if (value < number(MIN_MEASURED)) {
                resources.put(MIN_MEASURED, LwM2mSingleResource.newFloatResource(MIN_MEASURED, value));
                fireResourceChange(MIN_MEASURED);
            }
            if (value > number(MAX_MEASURED)) {
                resources.put(MAX_MEASURED, LwM2mSingleResource.newFloatResource(MAX_MEASURED, value));
                fireResourceChange(MAX_MEASURED);
            }
        }

        @Override
        public ExecuteResponse execute(LwM2mServer server, int resourceId, Arguments arguments) {
            ExecuteResponse response = super.execute(server, resourceId, arguments);
            if (resourceId == RESET_MEASURED) {
                double value = number(VALUE);
                resources.put(MIN_MEASURED, LwM2mSingleResource.newFloatResource(MIN_MEASURED, value));
                resources.put(MAX_MEASURED, LwM2mSingleResource.newFloatResource(MAX_MEASURED, value));
            }
            return response;
        }
    }
}
