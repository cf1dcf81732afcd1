package fuselage.demo.core;

/** The sensors a model may ask for. Their units are Android's: m/s^2, the gyroscope's rad/s. */
public enum SensorKind {
    ACCELEROMETER("accelerometer", "m/s²"),
    LINEAR_ACCELERATION("linear_acceleration", "m/s²"),
    GRAVITY("gravity", "m/s²"),
    GYROSCOPE("gyroscope", "rad/s");

    /** What model.json calls it. */
    public final String key;
    /** The unit of Android's values. */
    public final String unit;

    SensorKind(String key, String unit) {
        this.key = key;
        this.unit = unit;
    }

    static SensorKind named(String key) throws UnusableModelException {
        for (SensorKind kind : values()) {
            if (kind.key.equals(key)) {
                return kind;
            }
        }
        throw new UnusableModelException("The model asks for a sensor '" + key + "', which the app does not know.");
    }
}
