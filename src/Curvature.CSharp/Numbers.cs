namespace Curvature.CSharp;

/// <inheritdoc cref="FSharp.Numbers"/>
public static class Numbers
{
    /// <inheritdoc cref="FSharp.Numbers.show"/>
    public static string Show(double value) => FSharp.Numbers.show(value);

    /// <inheritdoc cref="FSharp.Numbers.within"/>
    public static string Within(double value, double error) => FSharp.Numbers.within(error, value);

    /// <inheritdoc cref="FSharp.Numbers.error"/>
    public static string Error(double error) => FSharp.Numbers.error(error);

    /// <inheritdoc cref="FSharp.Numbers.withError"/>
    public static string WithError(double value, double error) => FSharp.Numbers.withError(error, value);

    /// <inheritdoc cref="FSharp.Numbers.typeset"/>
    public static string Typeset(string text) => FSharp.Numbers.typeset(text.NotNull());
}
