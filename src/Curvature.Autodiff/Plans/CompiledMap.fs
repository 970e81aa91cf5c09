namespace Curvature

open System
open System.Diagnostics

/// A function v ↦ g(v) at a fixed point θ, compiled: work that depends on θ alone is done, and each application runs a
/// list of kernels. Safe on several threads at once.
///
/// It holds the memory of what depends on θ. Disposing of it gives that back at once, without waiting for the garbage
/// collector; a run on another thread ends first. Applying it afterwards raises DisposedException; its values stay.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type CompiledMap internal (values: Tensor list, input: Signature, device: Kernels.Device, plan: BoundPlan) =

    /// The elements of a tensor where a plan can read them.
    let rowMajor (t: Tensor) =
        if not (isNull t.Owner) then
            Fail.differentiation "a compiled map takes arrays; inside another transformation use the function itself"

        if not (obj.ReferenceEquals(t.Device, device)) then
            Fail.device $"the compiled map lives on {device.Name}, and the vector on {t.Device.Name}"

        t.Storage.Dense t.DType

    /// The elements of one vector, whose shape and element type are checked.
    let vector (v: Tensor) =
        ArgumentNullException.ThrowIfNull(v, nameof v)

        if v.Signature <> input then
            Fail.shape $"the compiled map takes {input.Text}, and got {v.Signature.Text}"

        rowMajor v

    /// What depends on the point alone, such as the loss and its gradient.
    member _.Values = values

    /// Multiplications and additions of one application, of the kernels that count them.
    member _.Flops = plan.Plan.Flops

    /// The bytes that intermediate values of one application take at a time.
    member _.ScratchBytes = plan.Plan.ScratchBytes

    /// g(v) for one v.
    member _.Apply(v: Tensor) : Tensor = Tensor.OfStorage((plan.Run [| vector v |])[0])

    /// g of every slice along the leading axis of a block [k; …]; results are stacked likewise. The bits of a slice do
    /// not depend on the block that it is in, nor on the number of threads.
    member _.ApplyBlock(block: Tensor) : Tensor =
        ArgumentNullException.ThrowIfNull(block, nameof block)
        let shape = block.Signature.Shape

        if shape.Length = 0 || Array.tail shape <> input.Shape || block.DType <> input.DType then
            Fail.shape $"the compiled map takes blocks of {input.Text}, and got {block.DType}{Shape.show shape}"

        let storage = rowMajor block

        if shape[0] = 1 then
            let single = storage.View(storage.Offset, Array.tail shape, Array.tail storage.Strides)
            let result = (plan.Run [| single |])[0]

            Tensor.OfStorage(
                result.View(0L, Array.append [| 1 |] result.Shape, Shape.rowMajor (Array.append [| 1 |] result.Shape))
            )
        else
            Tensor.OfStorage((plan.RunEach storage)[0])

    /// The median time of each kernel of one application, over a number of runs, in the order in which they run.
    /// Raises ShapeException for another shape or element type, and ArgumentRangeException for less than one run or
    /// more than 10⁶.
    member _.Profile(v: Tensor, runs: int) : KernelTime[] =
        Count.between 1 1_000_000 "profile" runs
        plan.Profile(vector v, runs)

    /// The kernels, one a line, for people who want to know what runs; of long plans the first.
    override _.ToString() = FSharp.Describe.lines (plan.Plan.ToString().Split '\n')

    /// Gives back the memory of what depends on θ. The map cannot be applied any more.
    member _.Dispose() = (plan :> IDisposable).Dispose()

    interface IDisposable with
        member this.Dispose() = this.Dispose()

    member internal this.Text = this.ToString()
