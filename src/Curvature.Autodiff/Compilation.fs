namespace Curvature

/// A function v ↦ g(v) at a fixed point θ, compiled: work that depends on θ alone is done, and each application runs a list of
/// kernels. Safe on several threads at once.
[<Sealed>]
type CompiledMap internal (values: Tensor list, input: Signature, device: Kernels.Device, plan: BoundPlan) =

    /// The elements of a tensor where a plan can read them.
    let rowMajor (t: Tensor) =
        if not (isNull t.Owner) then
            raise (
                DifferentiationException
                    "a compiled map takes arrays; inside another transformation use the function itself"
            )

        if not (obj.ReferenceEquals(t.Device, device)) then
            raise (CurvatureException $"the compiled map lives on {device.Name}, and the vector on {t.Device.Name}")

        t.Storage.Dense t.DType

    /// What depends on the point alone, such as the loss and its gradient.
    member _.Values = values

    /// Multiplications and additions of one application, of the kernels that count them.
    member _.Flops = plan.Plan.Flops

    /// g(v) for one v.
    member _.Apply(v: Tensor) : Tensor =
        if v.Signature <> input then
            raise (
                ShapeException
                    $"the compiled map takes {input.DType}{Shape.show input.Shape}, and got {v.DType}{Shape.show v.Signature.Shape}"
            )

        Tensor.OfStorage((plan.Run [| rowMajor v |])[0])

    /// g of every slice along the leading axis of a block [k; …]; results are stacked likewise. The bits of a slice do not depend
    /// on the block that it is in, nor on the number of threads.
    member _.ApplyBlock(block: Tensor) : Tensor =
        let shape = block.Signature.Shape

        if shape.Length = 0 || Array.tail shape <> input.Shape || block.DType <> input.DType then
            raise (
                ShapeException
                    $"the compiled map takes blocks of {input.DType}{Shape.show input.Shape}, and got {block.DType}{Shape.show shape}"
            )

        let storage = rowMajor block

        if shape[0] = 1 then
            let single = storage.View(storage.Offset, Array.tail shape, Array.tail storage.Strides)
            let result = (plan.Run [| single |])[0]

            Tensor.OfStorage(
                result.View(0L, Array.append [| 1 |] result.Shape, Shape.rowMajor (Array.append [| 1 |] result.Shape))
            )
        else
            Tensor.OfStorage((plan.RunEach storage)[0])

    /// The median seconds of each kernel of one application, over a number of runs, in the order in which they run.
    member _.Profile(v: Tensor, runs: int) : (string * float)[] = plan.Profile(rowMajor v, runs)

    /// The kernels, one a line, for people who want to know what runs.
    override _.ToString() = plan.Plan.ToString()

namespace Curvature.FSharp

open System.Collections.Concurrent
open Curvature

/// Functions turned into plans: recorded once for each shape, optimised, and run many times.
[<RequireQualifiedAccess>]
module Compile =

    let private arrayOf name (t: Tensor) =
        if not (isNull t.Owner) then
            raise (
                DifferentiationException
                    $"{name}: a compiled function takes arrays; inside another transformation use the function itself"
            )

        t.Storage.Dense t.DType

    /// The function as one plan for each combination of input shapes. It is recorded from shapes alone, so it may not
    /// ask for values.
    let internal functionOf (f: Tensor[] -> Tensor[]) : Tensor[] -> Tensor[] =
        let plans = ConcurrentDictionary<struct (Kernels.Device * string), BoundPlan>()

        fun inputs ->
            let device = inputs[0].Device
            let signatures = inputs |> Array.map _.Signature
            let name = System.String.Join("; ", signatures |> Array.map (fun s -> $"{s.DType}{Shape.show s.Shape}"))

            let plan =
                plans.GetOrAdd(
                    struct (device, name),
                    fun _ ->
                        let program =
                            Staging.stage device signatures f |> Simplify.run (Array.create inputs.Length true)

                        BoundPlan(Plan(program, 0), [||])
                )

            plan.Run(inputs |> Array.map (arrayOf "compile")) |> Array.map Tensor.OfStorage

    /// The same function, compiled: traced once for each shape of its argument, then run as a list of kernels. It may not ask
    /// for values of tensors (raises DifferentiationException at the first call), and is not differentiable itself.
    let func (f: Tensor -> Tensor) : Tensor -> Tensor =
        let compiled = functionOf (fun inputs -> [| f inputs[0] |])
        fun x -> (compiled [| x |])[0]

    /// The same function of several tensors, with several results, compiled.
    let funcs (f: Tensor list -> Tensor list) : Tensor list -> Tensor list =
        let compiled = functionOf (List.ofArray >> f >> List.toArray)
        fun xs -> compiled (List.toArray xs) |> List.ofArray

    /// A family's plans for one shape of its point: the slow part, run for each point, and the fast part, bound to what it gives.
    [<NoEquality; NoComparison>]
    type private Template = { Slow: BoundPlan; SlowOutputs: int; Fast: Plan }

    /// Records values and map with the point unknown, so that a new point runs the same plans.
    let private recordWithPoint (device: Kernels.Device) (point: Signature[]) (vector: Signature) f : Template =
        let mutable count = 0

        let program =
            Staging.stage device [| yield! point; vector |] (fun inputs ->
                let values, g = f inputs[.. point.Length - 1]
                count <- List.length values
                [| yield! values; yield g inputs[point.Length] |])
            |> Simplify.run [| yield! Array.create point.Length false; true |]

        let parts = Partition.cut point.Length count program

        {
            Slow = BoundPlan(Plan(parts.Slow, 0), [||])
            SlowOutputs = count
            Fast = Plan(parts.Fast, parts.Fast.Inputs - 1)
        }

    let private bindTemplate (template: Template) (point: Storage[]) : Tensor list * BoundPlan =
        let results = template.Slow.Run point
        let values = results[.. template.SlowOutputs - 1] |> Array.map Tensor.OfStorage |> List.ofArray
        values, BoundPlan(template.Fast, Array.append point results[template.SlowOutputs ..])

    /// Records the map at a known point: functions that look at values need this.
    let private recordAtPoint (point: Tensor[]) (vector: Signature) f : Tensor list * BoundPlan =
        let values, g = f point

        let program =
            Staging.stage point[0].Device [| vector |] (fun inputs -> [| g inputs[0] |]) |> Simplify.run [| true |]

        values, BoundPlan(Plan(program, 0), [||])

    /// A map for every point of several tensors, such as parameters and a batch of data; vectors have the shape of the first.
    let internal familyOf (f: Tensor[] -> Tensor list * (Tensor -> Tensor)) : Tensor[] -> CompiledMap =
        let templates = ConcurrentDictionary<struct (Kernels.Device * string), Template option>()

        fun point ->
            let device, vector = point[0].Device, point[0].Signature
            let signatures = point |> Array.map _.Signature
            let name = System.String.Join("; ", signatures |> Array.map (fun s -> $"{s.DType}{Shape.show s.Shape}"))

            let template =
                templates.GetOrAdd(
                    struct (device, name),
                    fun _ ->
                        try
                            Some(recordWithPoint device signatures vector f)
                        with :? AbstractValueException ->
                            None
                )

            let values, plan =
                match template with
                | Some template -> bindTemplate template (point |> Array.map (arrayOf "compile"))
                | None -> recordAtPoint point vector f

            CompiledMap(values, vector, device, plan)

    /// A map for every point θ. The function is given θ, and returns values that depend on θ alone and a function g of
    /// vectors v in the shape of θ. Work that does not depend on v is done once for each θ, and plans are made once for
    /// each shape: moving to another θ runs them again. A function that asks for values of tensors on its way is recorded anew at each θ.
    let family (f: Tensor -> Tensor list * (Tensor -> Tensor)) : Tensor -> CompiledMap =
        let maps = familyOf (fun point -> f point[0])
        fun theta -> maps [| theta |]

    /// The same linear program with less in it: equal equations merged, needless moves and arithmetic gone.
    let simplify (program: LinearProgram) : LinearProgram = LinearProgram(Simplify.run [| true |] program.Program)

    /// A linear program as a plan, for many applications. Raises DifferentiationException for a program made inside another
    /// transformation, whose coefficients are not known.
    let program (program: LinearProgram) : CompiledMap =
        let isTraced atom =
            match atom with
            | Constant t -> not (isNull t.Owner)
            | Variable _ -> false

        if
            program.Program.Equations |> Array.exists (fun equation -> equation.Operands |> Array.exists isTraced)
            || program.Program.Outputs |> Array.exists isTraced
        then
            raise (
                DifferentiationException
                    "compile: the program was made inside another transformation, and its coefficients are not known"
            )

        let simplified = (simplify program).Program
        CompiledMap([], simplified.Variables[0], simplified.Device, BoundPlan(Plan(simplified, 0), [||]))
