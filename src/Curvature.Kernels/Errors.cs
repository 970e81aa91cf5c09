namespace Curvature;

/// <summary>The root of every error that this library raises about its own use: the message names the argument, what
/// was expected and what came. The two exceptions are <see cref="ArgumentNullException"/> for null where there must be
/// something, and <see cref="OperationCanceledException"/> for work that was cancelled.</summary>
public class CurvatureException : Exception
{
    /// <summary>An error with a message.</summary>
    public CurvatureException(string message)
        : base(message)
    {
    }

    /// <summary>An error with a message and the error that it follows from.</summary>
    public CurvatureException(string message, Exception? inner)
        : base(message, inner)
    {
    }
}

/// <summary>Shapes that do not fit together.</summary>
public class ShapeException(string message) : CurvatureException(message);

/// <summary>Element types that do not fit together, or one that an operation does not have.</summary>
public class DTypeException(string message) : CurvatureException(message);

/// <summary>An argument outside its range, such as a negative count or an index beyond the end of an axis.</summary>
public class ArgumentRangeException(string message) : CurvatureException(message);

/// <summary>Arrays on different devices, or work that a device cannot do. The message names the devices.</summary>
public class DeviceException(string message) : CurvatureException(message);

/// <summary>A block of memory that the device does not have.</summary>
/// <param name="message">How much was asked for.</param>
/// <param name="inner">What the system said.</param>
public class DeviceMemoryException(string message, Exception? inner) : CurvatureException(message, inner);

/// <summary>A description of work for a device that is not well formed: sizes, strides, slots or element
/// types.</summary>
/// <param name="message">What was expected and what came.</param>
/// <param name="argument">The part of the description that is wrong.</param>
public class DescriptionException(string message, string argument) : CurvatureException($"{argument}: {message}")
{
    /// <summary>The part of the description that is wrong.</summary>
    public string Argument { get; } = argument;
}
