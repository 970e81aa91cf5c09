namespace Curvature.TorchSharp

open global.TorchSharp
open Curvature
open Curvature.FSharp

/// A matrix at the parameters as they are, as graphs that are kept.
[<NoEquality; NoComparison>]
type internal GraphMatrix =
    {
        /// The loss, where there is one.
        Loss: float voption
        /// Its gradient in parts.
        Gradient: (TorchTensor | null)[]
        /// The outputs of the model, where there is one.
        Outputs: TorchTensor voption
        /// From parts of a vector to parts of the product.
        Product: TorchTensor[] -> (TorchTensor | null)[]
        /// The graphs' tensors.
        Held: TorchTensor list
    }

module internal GraphMatrix =

    /// The tensors that are there.
    let private present (parts: (TorchTensor | null)[]) : TorchTensor list =
        [
            for part in parts do
                match part with
                | null -> ()
                | part -> part
        ]

    /// Raises ParameterException where a strict caller has parameters that nothing depends on.
    let private checkUsed (name: string) isStrict (set: ParameterSet) (gradient: (TorchTensor | null)[]) =
        if isStrict then
            let unused =
                Seq.zip set.Layout.Tensors gradient
                |> Seq.filter (fun (_, part) -> isNull part)
                |> Seq.map (fun (tensor, _) -> tensor.Name)
                |> Seq.toArray

            if unused.Length > 0 then
                let names = System.String.Join(", ", unused)

                Fail.parameter
                    $"{name}: the loss does not depend on {names}; leave these out, or do not ask for strictness"

    /// v ↦ ∂⟨gradient, v⟩/∂leaves: the derivative of a gradient, along parts v.
    let private along (gradient: (TorchTensor | null)[]) (leaves: TorchTensor[]) =
        let moving =
            [|
                for i in 0 .. gradient.Length - 1 do
                    match gradient[i] with
                    | null -> ()
                    | part -> if part.requires_grad then i, part
            |]

        let outputs = Array.map snd moving

        fun (v: TorchTensor[]) ->
            if moving.Length = 0 then
                leaves |> Array.map (fun _ -> null)
            else
                TorchScript.pull false outputs (moving |> Array.map (fun (i, _) -> v[i])) leaves

    /// The Hessian of a loss.
    let hessian name isStrict (set: ParameterSet) (loss: TorchTensor | null) : GraphMatrix =
        let value = Autograd.checkLoss name loss

        let gradient = Autograd.gradientGraph value set.Tensors
        checkUsed name isStrict set gradient

        {
            Loss = ValueSome(Autograd.number value)
            Gradient = gradient
            Outputs = ValueNone
            Product = along gradient set.Tensors
            Held = present gradient
        }

    /// The gradient of a loss, without products.
    let gradient name isStrict (set: ParameterSet) (loss: TorchTensor | null) : GraphMatrix =
        let value = Autograd.checkLoss name loss

        let gradient = TorchScript.pull false [| value |] [| torch.ones_like value |] set.Tensors
        checkUsed name isStrict set gradient

        {
            Loss = ValueSome(Autograd.number value)
            Gradient = gradient
            Outputs = ValueNone
            Product = fun _ -> Fail.operator $"{name}: a gradient has no products"
            Held = []
        }

    /// The derivative of a model's outputs: along a vector, and its transpose.
    [<NoEquality; NoComparison>]
    type Derivative =
        {
            Outputs: TorchTensor
            /// J·v in the shape of the outputs.
            Push: TorchTensor[] -> TorchTensor
            /// Jᵀu in parts.
            Pull: TorchTensor -> (TorchTensor | null)[]
            Held: TorchTensor list
        }

    /// Jᵀu is linear in u, so that its derivative along v by u is J·v.
    let derivative name isStrict (set: ParameterSet) (outputs: TorchTensor | null) : Derivative =
        match outputs with
        | null -> Fail.data $"{name}: the outputs are null"
        | outputs ->
            if not outputs.requires_grad then
                Fail.differentiation (
                    $"{name}: the outputs do not depend on the parameters; they may be computed under no_grad or in "
                    + "inference mode, or from detached values, or not by this call"
                )

            // Another tensor than the caller's, so that holding and disposing of it is not the caller's affair.
            let outputs = outputs.alias ()

            let u = torch.zeros_like(outputs.detach ()).requires_grad_()
            let transposed = TorchScript.pull true [| outputs |] [| u |] set.Tensors
            checkUsed name isStrict set transposed
            let push = along transposed [| u |]

            {
                Outputs = outputs
                Push =
                    fun v ->
                        match (push v)[0] with
                        | null -> torch.zeros_like (outputs.detach ())
                        | product -> product
                Pull = fun u -> TorchScript.pull false [| outputs |] [| u |] set.Tensors
                Held = outputs :: u :: present transposed
            }

    /// JᵀBJ for a linear map B of what the outputs are moved by.
    let private between (derivative: Derivative) (middle: TorchTensor -> TorchTensor | null) =
        fun (v: TorchTensor[]) ->
            match middle (derivative.Push v) with
            | null -> v |> Array.map (fun _ -> null)
            | u -> derivative.Pull u

    /// The Gauss–Newton matrix JᵀH_ℓJ of a criterion ℓ of the outputs.
    let gaussNewton name isStrict set outputs (criterion: TorchTensor -> TorchTensor | null) : GraphMatrix =
        let derivative = derivative name isStrict set outputs
        let z = derivative.Outputs.detach().clone().requires_grad_()
        let value = criterion z |> Autograd.checkLoss name

        match (Autograd.gradientGraph value [| z |])[0] with
        | null -> Fail.differentiation $"{name}: the criterion does not depend on the outputs that it is given"
        | slope ->
            let ofOutputs = along [| slope |] [| z |]

            {
                Loss = ValueSome(Autograd.number value)
                Gradient = derivative.Pull(slope.detach ())
                Outputs = ValueSome derivative.Outputs
                Product = between derivative (fun jv -> (ofOutputs [| jv |])[0])
                Held = slope :: z :: derivative.Held
            }

    /// 1/N Σ gₙgₙᵀ for the gradients gₙ = Jₙᵀrₙ of N samples' losses, which are a function of the outputs [N; …].
    let outerProducts name isStrict set outputs (losses: TorchTensor -> TorchTensor | null) : GraphMatrix =
        let derivative = derivative name isStrict set outputs
        let z = derivative.Outputs.detach().clone().requires_grad_()

        let each =
            match losses z with
            | null -> Fail.data $"{name}: the losses are null"
            | each -> each

        let rows = if z.Dimensions = 0L then 0L else z.shape[0]

        if each.shape <> [| rows |] then
            Fail.shape (
                $"{name}: there must be one loss for each of {rows} samples, "
                + $"and they have shape {Shape.show (Exchange.shapeOf each)}"
            )

        let total = each.sum () |> Autograd.checkLoss name

        match (TorchScript.pull false [| total |] [| torch.ones_like total |] [| z |])[0] with
        | null -> Fail.differentiation $"{name}: the losses do not depend on the outputs that they are given"
        | slope ->
            let residuals = slope.reshape (rows, -1L)

            let middle (jv: TorchTensor) =
                let projections = (residuals * jv.reshape (rows, -1L)).sum(1L, true)
                (residuals * projections).div((float rows).ToScalar()).reshape z.shape

            {
                Loss = ValueNone
                Gradient = [||]
                Outputs = ValueSome derivative.Outputs
                Product = between derivative middle
                Held = residuals :: z :: derivative.Held
            }

    /// The mean over samples of the log-partition function of a likelihood, of outputs [N; …]: its second derivative is
    /// that of every loss of this likelihood, whatever the targets. The last axis holds the logits of classes.
    let logPartition (likelihood: Likelihood) (outputs: TorchTensor) : TorchTensor =
        if outputs.Dimensions = 0L then
            Fail.shape "TorchFisher: a model's outputs need a leading axis of samples, and these are a scalar"

        let total =
            match likelihood with
            | Likelihood.Categorical -> outputs.logsumexp(-1L).sum()
            // log(1 + eˣ), in a way that has its second derivative everywhere and overflows nowhere.
            | Likelihood.Bernoulli -> torch.nn.functional.logsigmoid(outputs.neg ()).sum().neg()
            | Likelihood.Gaussian variance -> outputs.square().sum().div((2.0 * variance).ToScalar())

        total.div ((float outputs.shape[0]).ToScalar())
