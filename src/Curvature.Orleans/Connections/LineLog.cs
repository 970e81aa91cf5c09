using Microsoft.Extensions.Logging;

namespace Curvature;

/// <summary>Gives what silos log to a function, in lines.</summary>
internal sealed class LineLog(Action<string> log) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new Lines(categoryName, log);

    public void Dispose()
    {
    }

    private sealed class Lines(string category, Action<string> log) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            var name = category.StartsWith("Curvature", StringComparison.Ordinal) ? "curvature" : category;
            var cause = exception is null ? "" : $": {exception.GetType().Name}: {exception.Message}";
            log($"{name}: {formatter(state, exception)}{cause}");
        }
    }
}
