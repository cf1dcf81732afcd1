package fuselage.demo.core;

/** (x - mean) / std of each channel, in float32 as the model was trained. */
public final class Standardizer {
    private final float[] mean;
    private final float[] std;

    public Standardizer(float[] mean, float[] std) {
        this.mean = mean.clone();
        this.std = std.clone();
    }

    /** Standardizes window[step][channel] into one row after the other. */
    public float[] flatten(float[][] window) {
        int channels = mean.length;
        float[] features = new float[window.length * channels];
        for (int step = 0; step < window.length; step++) {
            if (window[step].length != channels) {
                throw new IllegalArgumentException("Step " + step + " has " + window[step].length
                        + " channels, the model " + channels + ".");
            }
            for (int channel = 0; channel < channels; channel++) {
                features[step * channels + channel] = (window[step][channel] - mean[channel]) / std[channel];
            }
        }
        return features;
    }
}
