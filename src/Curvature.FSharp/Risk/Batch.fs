namespace Curvature

open System.Diagnostics

/// Inputs and targets of some samples: their leading axes run over the samples. Where there are no targets, as for
/// language models or the exact Fisher information, the inputs can stand for them.
/// Raises DataException for no samples, and ShapeException where there are not as many targets as inputs.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type Batch(inputs: Tensor, targets: Tensor) =
    let size what (t: Tensor) =
        System.ArgumentNullException.ThrowIfNull(t, what)

        match t.Signature.Shape with
        | [||] -> Fail.shape $"batch: the {what} need a leading axis of samples, and they are a scalar"
        | shape when shape[0] = 0 -> Fail.data $"batch: there are no samples; the {what} have shape {Shape.show shape}"
        | shape -> shape[0]

    do
        if size "inputs" inputs <> size "targets" targets then
            Fail.shape (
                $"batch: inputs of shape {Shape.show inputs.Signature.Shape} do not go with targets of shape "
                + $"{Shape.show targets.Signature.Shape}"
            )

    /// The inputs, [samples; …].
    member _.Inputs = inputs

    /// The targets, [samples; …].
    member _.Targets = targets

    /// The number of samples.
    member _.Size = inputs.Signature.Shape[0]

    /// The same batch on a device.
    member internal batch.On(device: Kernels.Device) : Batch =
        if obj.ReferenceEquals(inputs.Device, device) && obj.ReferenceEquals(targets.Device, device) then
            batch
        else
            Batch(FSharp.Tensor.toDevice device inputs, FSharp.Tensor.toDevice device targets)

    override batch.ToString() =
        let show (t: Tensor) = $"{t.DType}{Shape.show t.Signature.Shape}"
        $"batch of {batch.Size} samples: inputs {show inputs}, targets {show targets}"

    member internal this.Text = this.ToString()
