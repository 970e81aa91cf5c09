namespace Curvature.CSharp;

/// <summary>Curvature while training, at a stated share of the time, and steps for loops of one's own.</summary>
public static class Monitoring
{
    extension(EmpiricalRisk risk)
    {
        /// <inheritdoc cref="FSharp.Monitor.create"/>
        public TrainingMonitor Monitor(MonitorOptions? options = null) =>
            FSharp.Monitor.create(options ?? MonitorOptions.Default, risk.NotNull());

        /// <inheritdoc cref="FSharp.Monitor.resume"/>
        public TrainingMonitor ResumeMonitor(string path, MonitorOptions? options = null) =>
            FSharp.Monitor.resume(options ?? MonitorOptions.Default, path.NotNull(), risk.NotNull());

        /// <inheritdoc cref="FSharp.Descent.ofRisk"/>
        public Descent Descent() => FSharp.Descent.ofRisk(risk.NotNull());
    }

    extension(Descent)
    {
        /// <inheritdoc cref="FSharp.Descent.ofFunction"/>
        public static Descent Along(Func<Tensor, Tensor> loss) => FSharp.Descent.ofFunction(loss.ToFSharp());
    }

    /// <inheritdoc cref="FSharp.Monitor.toSvg"/>
    public static string ToSvg(this TrainingMonitor monitor) => FSharp.Monitor.toSvg(monitor.NotNull());
}
